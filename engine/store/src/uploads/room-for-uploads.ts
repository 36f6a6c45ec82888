import { statfs } from 'node:fs/promises'
import { MiB } from '@kre/contracts'

/**
 * What stays free of a disk, or a twentieth of a small one: parts of an upload lie there for a day, and while the disk is
 * full the engine can't write down that anybody removes them.
 */
const RESERVED_BYTES_MAX = 64 * MiB
const RESERVED_SHARE = 1 / 20
/** Others write, too, so that what was free is looked at again. */
const GRANTED_BYTES_MAX = MiB

/** How many bytes uploads may still take of the disk under `dir`; negative when they have taken too many. */
async function roomForUploads(dir: string): Promise<number> {
  const { bsize, blocks, bavail } = await statfs(dir)
  // A file system that does not tell.
  if (blocks === 0) return Number.POSITIVE_INFINITY
  const reserved = Math.min(RESERVED_BYTES_MAX, bsize * blocks * RESERVED_SHARE)
  return bsize * bavail - reserved
}

/** @throws Error `ENOSPC` when the disk has no room for so many bytes. */
export async function requireRoom(dir: string, bytes: number): Promise<void> {
  if (bytes > 0 && (await roomForUploads(dir)) < bytes) throw noRoom()
}

/** @returns asks for bytes before they are written. @throws Error `ENOSPC` as `requireRoom`. */
export function createRoomKeeper(dir: string): (bytes: number) => Promise<void> {
  let granted = 0
  return async (bytes) => {
    if (bytes > granted) {
      const room = await roomForUploads(dir)
      if (room < bytes) throw noRoom()
      granted = Math.min(room, Math.max(bytes, GRANTED_BYTES_MAX))
    }
    granted -= bytes
  }
}

function noRoom(): Error {
  return Object.assign(new Error('what is left of the disk is kept free'), { code: 'ENOSPC' })
}
