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
  type NodeLaunch,
} from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { preparePython, startNats, type TestNats } from '@kre/service-kit/testing'
import fc from 'fast-check'
import {
  openTestBench,
  type RunningNode,
  type TestBench,
  textBytes,
  textOf,
  WORKFLOW,
} from '../../runners/node-runner/src/testing/start-node.ts'

const TYPE = 'type.googleapis.com/test.Text'
const prepared = preparePython()
const PYTHON: Partial<NodeLaunch> = {
  runner: 'python',
  src: 'node.py',
  concurrency: 8,
  python: { executable: 'reason' in prepared ? '' : prepared.executable, path: [] },
}
const NODES: [name: string, source: string, launch: Partial<NodeLaunch>][] = [
  ['TypeScript', 'export const defaultHandler = (ctx, data) => ctx.sendAny(data)\n', {}],
]
if ('executable' in prepared)
  NODES.push([
    'Python',
    'async def default_handler(ctx, data):\n    await ctx.send_any(data)\n',
    PYTHON,
  ])

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

async function openNode(source: string, launch: Partial<NodeLaunch>) {
  const bench = await openTestBench(await nats.connect(), nats.access)
  const node = await bench.node('echo', source, launch)
  let corrupt = 0
  bench.connection.subscribe(metricsSubject(WORKFLOW.runtimeId), {
    callback: (_, message) => {
      for (const { labels, value } of MetricsReport.parse(message.json()).counters)
        if (labels['event'] === 'corrupt') corrupt = value
    },
  })
  return { bench, node, corrupt: () => corrupt }
}

/** The same process answers, after all that was published before. */
async function expectUnharmed(bench: TestBench, node: RunningNode) {
  expect(textOf(await bench.ask('still here', { deadlineMs: 20_000 }))).toBe('still here')
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
/** Deadline, attempt and hop of 2^63 - 1: more than our own writer can say. */
const GIANTS = Buffer.from(
  ['8001', '9001', '9801'].map((tag) => `${tag}ffffffffffffffff7f`).join(''),
  'hex',
)
const giantEnvelope = oddEnvelope.map((bytes) => Buffer.concat([bytes, GIANTS]))

describe.each(NODES)('a node in %s', (_name, source, launch) => {
  test('reads or counts whatever comes, and lives', async () => {
    const { bench, node, corrupt } = await openNode(source, launch)
    await using _ = bench
    const evil: string[] = []
    bench.connection.subscribe('evil', { callback: () => void evil.push('injected') })
    const message = fc.oneof(
      { arbitrary: oddEnvelope, weight: 3 },
      giantEnvelope,
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
    await expectUnharmed(bench, node)
    await waitUntil('counted', () => corrupt() > 0)
    expect(evil).toEqual([])
  })

  test('takes no nonsense for a word of its engine', async () => {
    const { bench, node } = await openNode(source, launch)
    await using _ = bench
    for (const verb of ['cancel', 'ping', 'gone'] as const)
      for (const data of ['', 'null', '{', '[]', '{"requestIds":7}', '{"requestIds":[1]}', '\xff'])
        bench.connection.publish(controlSubject(WORKFLOW, verb), data)
    await expectUnharmed(bench, node)
  })
})

if ('reason' in prepared) test.skip(`a node in Python (${prepared.reason})`, () => undefined)
