import { describe, expect, test } from '@jest/globals'
import { LogBatch, logRecordsOf, OutputRecord, type NodeLaunch } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { createNodeLog } from './node-log.ts'
import type { Outbox } from './outbox.ts'

const launch = {
  runtimeId: 'rt',
  version: 'v1',
  versionId: 'id',
  workflow: 'wf',
  workflowName: 'Workflow',
  node: 'a',
  nodeName: 'A',
  config: { variables: { PASSWORD: 'open sesame' }, files: {} },
} as unknown as NodeLaunch

function open() {
  const posted: (OutputRecord | LogBatch)[] = []
  const outbox = { post: (record) => void posted.push(record) } as Outbox
  const log = createNodeLog(
    launch,
    () => outbox,
    () => undefined,
  )
  /** As the writer reads them. */
  const records = () =>
    posted.flatMap((one) => {
      const sent: unknown = JSON.parse(JSON.stringify(one))
      return one.kind === 'logs' ? logRecordsOf(LogBatch.parse(sent)) : [OutputRecord.parse(sent)]
    })
  return { log, posted, records }
}

describe('lines of a node', () => {
  test('that come at once are one message, and each is the record that it would have been alone', async () => {
    const { log, posted, records } = open()
    for (let n = 0; n < 90; n++) log.write('INFO', `line ${n}`, n === 3 ? 'request-3' : null)
    expect(posted).toEqual([])
    await waitUntil('they are posted', () => posted.length > 0)
    expect(posted).toHaveLength(1)
    const lines = records()
    expect(lines.map((line) => (line.kind === 'log' ? line.message : ''))).toEqual(
      Array.from({ length: 90 }, (_, n) => `line ${n}`),
    )
    expect(new Set(lines.map(({ id }) => id)).size).toBe(90)
    expect(lines[3]).toMatchObject({
      kind: 'log',
      id: expect.stringMatching(/^[0-9a-f-]{36}\/a\/3$/),
      level: 'INFO',
      runtimeId: 'rt',
      version: 'v1',
      versionId: 'id',
      workflow: 'wf',
      workflowName: 'Workflow',
      node: 'a',
      nodeName: 'A',
      requestId: 'request-3',
    })
  })

  test('that come alone are records of their own', async () => {
    const { log, posted } = open()
    for (const text of ['one', 'two']) {
      log.write('WARN', text, null)
      await waitUntil('it is posted', () => posted.at(-1)?.kind === 'log' && posted.length > 0)
      await waitUntil('it is this one', () => JSON.stringify(posted.at(-1)).includes(text))
    }
    expect(posted.map(({ kind }) => kind)).toEqual(['log', 'log'])
  })

  test('that are long fill a message sooner', () => {
    const { log, posted } = open()
    for (let n = 0; n < 8; n++) log.write('INFO', 'x'.repeat(16 * 1024), null)
    expect(posted.map((one) => (one.kind === 'logs' ? one.lines.length : 1))).toEqual([4, 4])
  })

  test('that wait are handed over at the end, without values of the configuration', () => {
    const { log, posted, records } = open()
    log.write('INFO', 'the word is open sesame', null)
    log.write('INFO', 'more', null)
    log.flush()
    log.flush()
    expect(posted).toHaveLength(1)
    expect(JSON.stringify(records())).not.toContain('sesame')
  })

  test('that are too many in a second are counted and said', async () => {
    const { log, records } = open()
    for (let n = 0; n < 1_200; n++) log.write('INFO', 'again', null)
    expect(log.droppedLines).toBeGreaterThanOrEqual(199)
    log.dropped(40)
    await waitUntil('it is said', () =>
      records().some((line) => line.kind === 'log' && /^dropped \d+ lines$/.test(line.message)),
    )
    expect(log.droppedLines).toBeGreaterThanOrEqual(239)
  })
})
