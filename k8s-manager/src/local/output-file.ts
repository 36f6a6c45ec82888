/** The file that takes a replica's stdout and stderr: it outlives the engine, so nothing is piped. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { KiB } from '@kre/contracts'

/** Bytes at the end of the output that a reason is looked for in. */
const TAIL_BYTES = 16 * KiB

/** Length in bytes; 0 when there is none. */
export function outputBytes(path: string): number {
  return existsSync(path) ? statSync(path).size : 0
}

/** The end of what was written since `start`; a file that was cut meanwhile is read from its beginning. */
export function readOutputTail(path: string, start: number): string {
  if (!existsSync(path)) return ''
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const from = Math.max(size < start ? 0 : start, size - TAIL_BYTES)
    const tail = Buffer.alloc(size - from)
    return tail.toString('utf8', 0, readSync(file, tail, 0, tail.length, from))
  } finally {
    closeSync(file)
  }
}

/**
 * Cuts a file beyond `bytesMax` to nothing and keeps the old content as `<path>.1`. Its writer goes on
 * at the new end, because it was opened for appending; lines written in between are lost.
 */
export function limitOutput(path: string, bytesMax: number): void {
  if (outputBytes(path) <= bytesMax) return
  copyFileSync(path, `${path}.1`)
  truncateSync(path, 0)
}
