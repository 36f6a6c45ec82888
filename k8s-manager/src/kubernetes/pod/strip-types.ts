/**
 * Code of a bundle in TypeScript, as JavaScript. The compiler that strips types is a program in WebAssembly which stays
 * in memory, 12 MiB: so it runs here, in a process that ends, and not in the one that serves.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, relative } from 'node:path'

/** Some ms each; the process that needs one more strips that itself. */
const FILES_MAX = 500
const SOURCE = /(?<!\.d)\.[mc]?ts$/

/**
 * @param files the unpacked bundle.
 * @param folder gets `src/etl.ts.js` for `src/etl.ts`, with every character at its place.
 * @returns whether there is any.
 */
export async function stripTypes(files: string, folder: string): Promise<boolean> {
  const entries = await readdir(files, { recursive: true, withFileTypes: true })
  const sources = entries
    .filter((entry) => entry.isFile() && SOURCE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
  // That the function may change one day is no news for the log of a pod.
  process.removeAllListeners('warning')
  for (const source of sources.slice(0, FILES_MAX)) {
    const code = stripped(await readFile(source, 'utf8'))
    if (code === null) continue
    const target = join(folder, `${relative(files, source)}.js`)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, code)
  }
  return sources.length > 0
}

/** @returns null for what is no TypeScript that can be stripped: who loads it tells its author why. */
function stripped(text: string): string | null {
  try {
    return stripTypeScriptTypes(text)
  } catch {
    return null
  }
}
