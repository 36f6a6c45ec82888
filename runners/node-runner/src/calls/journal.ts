/**
 * Which requests are inside a handler, on disk: what a process leaves behind when it is killed.
 * One line of fixed length per slot, written in place and without fsync: it must survive the process, not the host.
 */
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const SLOT_BYTES = 64

export type Journal = {
  /** Ids that the previous process left. */
  readonly interrupted: readonly string[]
  enter(slot: number, requestId: string): void
  leave(slot: number): void
  close(): void
}

export function openJournal(workPath: string, slots: number): Journal {
  mkdirSync(workPath, { recursive: true, mode: 0o700 })
  const file = join(workPath, 'in-flight')
  const interrupted = readLeftOvers(file)
  const fd = openSync(file, 'w', 0o600)
  const line = Buffer.alloc(SLOT_BYTES)
  const blank = Buffer.alloc(SLOT_BYTES, ' ')
  blank[SLOT_BYTES - 1] = 10
  for (let slot = 0; slot < slots; slot++) writeSync(fd, blank, 0, SLOT_BYTES, slot * SLOT_BYTES)
  return {
    interrupted,
    enter(slot, requestId) {
      line.set(blank)
      line.write(requestId, 0, SLOT_BYTES - 1, 'latin1')
      writeSync(fd, line, 0, SLOT_BYTES, slot * SLOT_BYTES)
    },
    leave: (slot) => void writeSync(fd, blank, 0, SLOT_BYTES, slot * SLOT_BYTES),
    close: () => closeSync(fd),
  }
}

function readLeftOvers(file: string): readonly string[] {
  try {
    return readFileSync(file, 'latin1')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
