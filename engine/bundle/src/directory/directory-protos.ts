import { lstatSync, realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { ProtoSource } from '../proto/compile-closure.ts'

/** The files of a bundle's folder, for work on its protos alone. Links are not there, as in a bundle. */
export function directoryProtos(root: string): ProtoSource {
  const inside = realpathSync(root) + sep
  const sizeOf = (path: string): number | null => {
    const full = join(root, path)
    const found = lstatSync(full, { throwIfNoEntry: false })
    return found?.isFile() === true && realpathSync(full).startsWith(inside) ? found.size : null
  }
  return {
    has: (path) => sizeOf(path) !== null,
    sizeOf: (path) => sizeOf(path) ?? 0,
    read: (path) => readFile(join(root, path)),
  }
}
