import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { uiRoot } from './vite-config.ts'

/** What a build is made of, relative to the package. The lock file stands for the libraries. */
const SOURCES = ['src', 'build', 'public', 'index.html', 'package.json', '../package-lock.json']
const SHARED = ['../engine/contracts/src/version-status.ts']

/** Hexadecimal digest of everything that a build depends on: equal sources give equal stamps, whatever their dates. */
export async function contentStamp(): Promise<string> {
  const files = (await Promise.all([...SOURCES, ...SHARED].map(filesBelow))).flat().toSorted()
  const hash = createHash('sha256')
  for (const file of files) {
    if (file.endsWith('.test.ts')) continue
    const content = await readFile(join(uiRoot, file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

async function filesBelow(path: string): Promise<string[]> {
  // A file that is not there is said by the build, in better words.
  const entries = await readdir(join(uiRoot, path), { withFileTypes: true, recursive: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR') return null
      if (error.code === 'ENOENT') return []
      throw error
    },
  )
  if (entries === null) return [path]
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath.slice(uiRoot.length), entry.name))
}
