import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { START_STAGE_FILE, startStageText, type StartStage } from '@kre/contracts'
import { createLogger, waitUntil } from '@kre/service-kit'
import { nodeWorkload } from '../testing/workloads.ts'
import type { Ending } from './ending-reason.ts'
import { createReplica } from './replica.ts'
import { DEFAULT_LOCAL_SETTINGS } from './settings.ts'
import { openStateFiles } from './state-files.ts'

test('says how far an overdue start is as it goes on, until there is a reason to fail', async () => {
  using subject = startReplica()
  const { replica } = subject
  await waitUntil('its process', () => replica.pid)
  subject.tick(3)
  expect(replica.observe()).toMatchObject({ isOverdue: true })
  expect(replica.reason).toMatch(/^is not ready after 2 s; it wrote nothing\./)

  subject.enter('load', 'reading rows')
  subject.tick(1)
  expect(replica.reason).toMatch(
    /^is not ready after 2 s: src\/etl\.ts is still being loaded, its log ends with "reading rows"/,
  )
  subject.enter('init', '')
  subject.tick(1)
  expect(replica.reason).toMatch(/: the init of src\/etl\.ts still runs, its log is empty/)
  const said = subject.changes()
  subject.enter('init', '')
  subject.tick(1)
  expect(subject.changes()).toBe(said)

  // It blocks its thread from now on.
  subject.tick(3)
  await waitUntil('its end', () => replica.pid === null)
  subject.tick(1)
  expect(replica.reason).toMatch(/^blocked its thread for 2 s while it started, so it was killed/)
})

/** A replica whose process is only said to be there, in time that passes by ticks. */
function startReplica() {
  const dir = mkdtempSync(join(tmpdir(), 'kre-replica-'))
  const state = openStateFiles(dir, () => undefined)
  const workload = nodeWorkload('etl')
  const { work } = state.pathsOf(workload.id, 0)
  mkdirSync(work)
  const released = new AbortController()
  let changes = 0
  let beat = 0
  const replica = createReplica(
    {
      state,
      settings: { ...DEFAULT_LOCAL_SETTINGS, startTimeoutMs: 2_000 },
      logger: createLogger('test', { level: 'silent' }),
      launch: async ({ restarts }) => {
        const { promise, resolve } = Promise.withResolvers<Ending>()
        const pid = 2 ** 30 + restarts
        return {
          process: {
            pid,
            identity: 'nobody',
            ended: promise,
            kill: (signal) => resolve({ kind: 'signal', signal }),
          },
          record: {
            pid,
            identity: 'nobody',
            workload: { ...workload, isPartial: false },
            replica: 0,
            restarts,
            ready: false,
            uid: null,
            startedAt: new Date(),
            outputStart: 0,
          },
        }
      },
      publishDeath: () => undefined,
      onChange: () => void changes++,
      onGone: () => undefined,
      hasSibling: () => false,
      report: () => undefined,
      released: released.signal,
    },
    0,
    workload,
    null,
  )
  return {
    replica,
    changes: () => changes,
    tick(times: number) {
      for (let i = 0; i < times; i++) replica.tick(true, null)
    },
    enter(stage: StartStage['stage'], line: string) {
      writeFileSync(join(work, START_STAGE_FILE), startStageText({ stage, beat: ++beat, line }))
    },
    [Symbol.dispose]() {
      released.abort()
      rmSync(dir, { recursive: true })
    },
  }
}
