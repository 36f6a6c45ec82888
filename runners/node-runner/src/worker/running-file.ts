/**
 * Which calls a worker runs, in a file that the worker maps into its memory (`Init.running_file`): who is to blame for
 * its death among those that it was given.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'

export type RunningFile = {
  readonly path: string
  /** Blanks it for a new worker. */
  reset(): void
  /** Ids of the calls whose handlers run, or ran when the worker died. */
  read(): ReadonlySet<number>
  close(): void
}

/** @param slots calls that run at once, at most. */
export function openRunningFile(path: string, slots: number): RunningFile {
  // Made anew: the worker of a runner that was killed may still write into the old one.
  rmSync(path, { force: true })
  const fd = openSync(path, 'wx+', 0o600)
  const blank = Buffer.alloc(slots * Uint32Array.BYTES_PER_ELEMENT)
  const ids = new Uint32Array(slots)
  return {
    path,
    reset: () => void writeSync(fd, blank, 0, blank.length, 0),
    read() {
      readSync(fd, ids, 0, ids.byteLength, 0)
      return new Set(ids.filter((id) => id !== 0))
    },
    close: () => closeSync(fd),
  }
}
