/** What a node may find on its subjects: nonsense, and envelopes that no entrypoint would write. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  controlSubject,
  emptyEnvelope,
  encodeEnvelope,
  ingressSubject,
  MESSAGE_TYPE,
  MetricsReport,
  metricsSubject,
} from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import fc from 'fast-check'
import {
  openTestBench,
  type RunningNode,
  type TestBench,
  textBytes,
  textOf,
  WORKFLOW,
} from '../../runners/node-runner/src/testing/start-node.ts'

const ECHO = 'export const defaultHandler = (ctx, data) => ctx.sendAny(data)\n'
const TYPE = 'type.googleapis.com/test.Text'

let nats: TestNats
let bench: TestBench
let node: RunningNode
let corrupt = 0
beforeAll(async () => {
  nats = await startNats()
  bench = await openTestBench(await nats.connect(), nats.access)
  node = await bench.node('echo', ECHO)
  bench.connection.subscribe(metricsSubject(WORKFLOW.runtimeId), {
    callback: (_, message) => {
      for (const { labels, value } of MetricsReport.parse(message.json()).counters)
        if (labels['event'] === 'corrupt') corrupt = value
    },
  })
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

/** The same process answers, after all that was published before. */
async function expectUnharmed() {
  expect(textOf(await bench.ask('still here'))).toBe('still here')
  expect(node.child.exitCode).toBeNull()
}

const INGRESS = ingressSubject(WORKFLOW)
const oddText = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom(
    '',
    ' ',
    '>',
    '*',
    'a b',
    'a..b',
    '_R.>',
    'a\r\nPUB evil 2\r\nhi\r\n',
    '__proto__',
  ),
  fc.constant('x'.repeat(5_000)),
)
const oddNumber = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 1, 2 ** 31, 2 ** 32))
const oddEnvelope = fc
  .record({
    requestId: oddText,
    typeUrl: fc.oneof(fc.constant(TYPE), oddText),
    value: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(textBytes('text'))),
    error: oddText,
    fromNode: oddText,
    messageType: fc.constantFrom(...Object.values(MESSAGE_TYPE)),
    deadlineUnixMs: fc.oneof(fc.constant(0), fc.constant(Date.now() + 60_000), oddNumber),
    replyTo: oddText,
    attempt: oddNumber,
    hop: oddNumber,
    encoding: fc.constantFrom(0, 1),
    statusCode: oddNumber,
    metadata: fc.dictionary(oddText, oddText, { maxKeys: 3 }),
    lineage: fc.nat(),
    sequence: oddNumber,
    claim: fc.option(
      fc.record({
        bucket: oddText,
        key: oddText,
        size: oddNumber,
        sha256: oddText,
        expiresUnixMs: oddNumber,
        chunkBytes: oddNumber,
      }),
      { freq: 5 },
    ),
    hasClaims: fc.boolean(),
  })
  .map((fields) => encodeEnvelope({ ...emptyEnvelope(), ...fields }))

describe('a node', () => {
  test('reads or counts whatever comes, and lives', async () => {
    const evil: string[] = []
    bench.connection.subscribe('evil', { callback: () => void evil.push('injected') })
    const message = fc.oneof(
      { arbitrary: oddEnvelope, weight: 3 },
      fc.uint8Array({ maxLength: 80 }),
      oddEnvelope.chain((bytes) =>
        fc.nat({ max: bytes.length }).map((at) => bytes.subarray(0, at)),
      ),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 20 }), async (messages) => {
        for (const bytes of messages) bench.connection.publish(INGRESS, bytes)
        await bench.connection.flush()
      }),
      { numRuns: 60, interruptAfterTimeLimit: 5_000 },
    )
    await expectUnharmed()
    await waitUntil('counted', () => corrupt > 0, { timeoutMs: 20_000 })
    expect(evil).toEqual([])
  }, 60_000)

  test('takes no nonsense for a word of its engine', async () => {
    for (const verb of ['cancel', 'ping', 'gone'] as const)
      for (const data of ['', 'null', '{', '[]', '{"requestIds":7}', '{"requestIds":[1]}', '\xff'])
        bench.connection.publish(controlSubject(WORKFLOW, verb), data)
    await expectUnharmed()
  })
})
