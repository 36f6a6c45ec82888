import { expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { IN_FLIGHT_FILE, parseInFlight } from '@kre/contracts/runtime'
import { openJournal } from './journal.ts'

function open(slots: number) {
  const path = mkdtempSync(join(tmpdir(), 'kre-journal-'))
  const onDisk = () =>
    parseInFlight(readFileSync(join(path, IN_FLIGHT_FILE), 'latin1')).map((call) => call.requestId)
  return { path, journal: openJournal(path, slots), onDisk }
}

test('a call is on disk when it has entered, and is not there once the loop has turned after its end', async () => {
  const { journal, onDisk } = open(4)
  for (const slot of [0, 1, 2, 3]) journal.enter(slot, `r${slot}`, Infinity)
  expect(onDisk()).toEqual(['r0', 'r1', 'r2', 'r3'])
  journal.leave(3)
  journal.leave(1)
  await setImmediate()
  expect(onDisk()).toEqual(['r0', 'r2'])
  journal.close()
})

test('a slot that is taken again in the turn in which it was left has the new call only', async () => {
  const { journal, onDisk } = open(2)
  journal.enter(0, 'old', Infinity)
  journal.leave(0)
  journal.enter(0, 'new', Infinity)
  expect(onDisk()).toEqual(['new'])
  await setImmediate()
  expect(onDisk()).toEqual(['new'])
  journal.close()
})

test('a call that enters takes those along that were left before it', () => {
  const { journal, onDisk } = open(4)
  for (const slot of [0, 1, 2]) journal.enter(slot, `r${slot}`, Infinity)
  journal.leave(2)
  journal.leave(0)
  journal.enter(3, 'r3', Infinity)
  expect(onDisk()).toEqual(['r1', 'r3'])
  journal.close()
})

test('what the process before has left is told, and calls that ended are not part of it', () => {
  const { path, journal } = open(2)
  journal.enter(0, 'open', Infinity)
  journal.enter(1, 'over', Infinity)
  journal.leave(1)
  journal.close()
  expect(openJournal(path, 2).interrupted).toEqual(['open'])
})
