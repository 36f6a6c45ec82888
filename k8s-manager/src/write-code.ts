/** Code of a bundle in TypeScript, as JavaScript beside it, so that no process of a node loads what strips types. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

/**
 * @param code by path inside the bundle.
 * @param files the unpacked bundle: what is not in it is not written, whatever its path.
 * @param folder gets `src/etl.ts.js` for `src/etl.ts`.
 * @returns whether there is any.
 */
export async function writeCode(
  code: ReadonlyMap<string, string>,
  files: string,
  folder: string,
): Promise<boolean> {
  if (code.size === 0) return false
  let isAny = false
  for (const entry of await readdir(files, { recursive: true, withFileTypes: true })) {
    const path = relative(files, join(entry.parentPath, entry.name))
    const text = entry.isFile() ? code.get(path) : undefined
    if (text === undefined) continue
    const target = join(folder, `${path}.js`)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, text)
    isAny = true
  }
  return isAny
}
