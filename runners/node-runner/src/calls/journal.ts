/**
 * Which requests are inside a handler, and until when, on disk: whoever supervises the process sees in it that user
 * code blocks the thread, and reads after a death what it took along. Nothing inside the process could do the first
 * as cheaply: only another thread can see a blocked one, and one more costs as much memory as half a node.
 *
 * Written in place and without fsync: it must survive the process, not the host.
 */
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import {
  IN_FLIGHT_FILE,
  IN_FLIGHT_RECORD_BYTES,
  monotonicMs,
  parseInFlight,
  writeInFlightRecord,
  type NodeLaunch,
} from '@kre/contracts/runtime'

/** More records than supervisors read of a journal are of no use. */
const SLOTS_MAX = 4_096

/** Calls that may be inside a handler at once. */
export function slotsOf({ concurrency, batch }: NodeLaunch): number {
  return Math.min(concurrency * (batch?.maxSize ?? 1), SLOTS_MAX)
}

export type Journal = {
  /** Ids that the previous process left. */
  readonly interrupted: readonly string[]
  /**
   * On disk when it returns, as what comes next may end the process.
   *
   * @param deadlineAt on the clock of `performance.now()`; Infinity = none.
   */
  enter(slot: number, requestId: string, deadlineAt: number): void
  /**
   * On disk when another call enters, and before the event loop goes on: one write for all calls that end in one turn
   * of it. Not later, as another node of the process, with a journal of its own, may be next.
   */
  leave(slot: number): void
  /** Writes at once what was left. */
  flush(): void
  close(): void
}

export function openJournal(workPath: string, slots: number): Journal {
  mkdirSync(workPath, { recursive: true, mode: 0o700 })
  const file = join(workPath, IN_FLIGHT_FILE)
  const interrupted = readLeftOvers(file)
  const fd = openSync(file, 'w', 0o600)
  const offsetMs = monotonicMs() - performance.now()
  const records = Buffer.alloc(slots * IN_FLIGHT_RECORD_BYTES)
  const write = (first: number, last: number) => {
    const start = first * IN_FLIGHT_RECORD_BYTES
    writeSync(fd, records, start, (last + 1) * IN_FLIGHT_RECORD_BYTES - start, start)
  }
  for (let slot = 0; slot < slots; slot++) writeInFlightRecord(records, slot, null)
  write(0, slots - 1)

  /** The slots from the first to the last that were left since the last write of them all. */
  let firstLeft = slots
  let lastLeft = -1
  let isOpen = true
  let isScheduled = false
  const flush = () => {
    isScheduled = false
    if (lastLeft === -1 || !isOpen) return
    write(firstLeft, lastLeft)
    forgetLeft()
  }
  const forgetLeft = () => {
    firstLeft = slots
    lastLeft = -1
  }
  return {
    interrupted,
    enter(slot, requestId, deadlineAt) {
      writeInFlightRecord(records, slot, { requestId, dueMs: deadlineAt + offsetMs })
      write(Math.min(firstLeft, slot), Math.max(lastLeft, slot))
      forgetLeft()
    },
    leave(slot) {
      writeInFlightRecord(records, slot, null)
      if (!isScheduled) process.nextTick(flush)
      isScheduled = true
      firstLeft = Math.min(firstLeft, slot)
      lastLeft = Math.max(lastLeft, slot)
    },
    flush,
    close() {
      flush()
      isOpen = false
      closeSync(fd)
    },
  }
}

function readLeftOvers(file: string): readonly string[] {
  try {
    return parseInFlight(readFileSync(file, 'latin1')).map(({ requestId }) => requestId)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
