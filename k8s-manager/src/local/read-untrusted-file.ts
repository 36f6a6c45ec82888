import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants

/**
 * Reads a file in a folder that user code can write: a link is not followed, a pipe does not block, and what is longer
 * than it can be honestly is not read.
 *
 * @returns null when there is no such file, or something else in its place.
 */
export function readUntrustedFile(path: string, bytesMax: number): Buffer | null {
  const file = openPlain(path)
  if (file === null) return null
  try {
    const stat = fstatSync(file)
    if (!stat.isFile() || stat.size > bytesMax) return null
    const content = Buffer.alloc(stat.size)
    return content.subarray(0, readSync(file, content, 0, content.length, 0))
  } finally {
    closeSync(file)
  }
}

function openPlain(path: string): number | null {
  try {
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    // A folder in between that became a file, a link, a socket, a device without its driver, a file that was closed.
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'ENODEV', 'EACCES', 'EISDIR'].includes(code))
      return null
    throw error
  }
}
