/** examples/digits as `krectl dev` sets it up: what it promises about accuracy holds through the whole engine. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { connectForeign } from './support/grpc-client.ts'
import { createKre, root, type Kre, type Status } from './support/kre.ts'

/** A Python environment may be built on the way. */
const START_TIMEOUT_MS = 300_000
/** Requests under way at once. */
const CALLERS = 16

type HeldOut = { images: string[]; labels: number[] }
type Dev = { loginUrl: string; example: { address: string; answer: { label: number } } }

let kre: Kre
let dev: Dev

beforeAll(async () => {
  kre = await createKre()
  dev = await kre.json<Dev>('dev', '--detach')
}, START_TIMEOUT_MS)
afterAll(async () => kre?.[Symbol.asyncDispose](), START_TIMEOUT_MS)

test('dev shows a real answer of the example and a sign-in link', async () => {
  expect(dev).toMatchObject({
    loginUrl: expect.stringMatching(/^http:\/\/localhost:\d+\/signin\/[\w-]+$/),
    example: { runtime: 'demo', version: 'digits-v1', answer: { label: 3 } },
  })
})

test(
  'dev is harmless when it is run again',
  async () => {
    const before = await kre.json<Status>('status')
    const again = await kre.json<Dev>('dev', '--detach')
    expect(again.example).toEqual(dev.example)
    const pids = (status: Status) => status.processes.map(({ pid }) => pid)
    expect(pids(await kre.json<Status>('status'))).toEqual(pids(before))
  },
  START_TIMEOUT_MS,
)

test(
  'reads at least 97 % of the pictures it was not trained on, and keeps each prediction',
  async () => {
    const text = await readFile(join(root, 'examples/digits/held-out.json'), 'utf8')
    const { images, labels } = JSON.parse(text) as HeldOut
    expect(images).toHaveLength(360)
    using client = await connectForeign(dev.example.address, 'digits.Entrypoint', 'ClassifyDigit')
    const answers: number[] = []
    const left = images.keys()
    const caller = async () => {
      for (const at of left) {
        const answer = await client.call({
          pixels: [...Buffer.from(images[at] ?? '', 'hex')],
          width: 8,
          height: 8,
          white: 16,
          trueLabel: String(labels[at]),
        })
        answers[at] = (answer as { label: number }).label
      }
    }
    await Promise.all(Array.from({ length: CALLERS }, caller))
    const right = answers.filter((label, at) => label === labels[at]).length
    expect(right / images.length).toBeGreaterThanOrEqual(0.97)

    const kept = await waitUntil(
      'all predictions in the store',
      () => {
        const found = keptPredictions(kre.dataDir).filter(({ trueValue }) => trueValue !== '')
        // The calls of `dev` are kept as well.
        return found.length >= images.length + 2 ? found : null
      },
      { everyMs: 100 },
    )
    const keptRight = kept.filter(({ predictedValue, trueValue }) => predictedValue === trueValue)
    expect(keptRight).toHaveLength(right + 2)
  },
  START_TIMEOUT_MS,
)

type Prediction = { predictedValue: string; trueValue: string }

/** Read from the store itself, as it is on disk. */
function keptPredictions(dataDir: string): Prediction[] {
  const database = new DatabaseSync(join(dataDir, 'outputs.sqlite'), { readOnly: true })
  try {
    const rows = database.prepare('SELECT record FROM predictions').all() as { record: string }[]
    return rows.map(({ record }) => JSON.parse(record) as Prediction)
  } finally {
    database.close()
  }
}
