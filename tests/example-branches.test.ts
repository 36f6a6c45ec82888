/** examples/branches: every row of its README's table. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { connectForeign, type ForeignClient } from './support/grpc-client.ts'
import { createKre, root, type Kre } from './support/kre.ts'

/** A Python environment may be built on the way. */
const START_TIMEOUT_MS = 300_000

let kre: Kre
let client: ForeignClient

beforeAll(async () => {
  kre = await createKre()
  await kre.json('dev', '--detach', '--no-example')
  await kre.json('runtime', 'create', 'shop')
  await kre.json('version', 'create', '-r', 'shop', join(root, 'examples/branches'))
  await kre.json('version', 'start', '-r', 'shop', 'branches-v1')
  await kre.json('version', 'publish', '-r', 'shop', 'branches-v1')
  const { entrypointAddress } = await kre.json<{ entrypointAddress: string }>(
    'runtime',
    'show',
    'shop',
  )
  client = await connectForeign(entrypointAddress, 'branches.Entrypoint', 'PlaceOrder')
}, START_TIMEOUT_MS)

afterAll(async () => {
  client?.[Symbol.dispose]()
  await kre?.[Symbol.asyncDispose]()
}, START_TIMEOUT_MS)

test.each([
  [
    'goes to price and stock, which are joined',
    { item: 'nail', quantity: 3 },
    { text: 'ordered', cents: 750, available: true },
  ],
  [
    'is joined when there is not enough, too',
    { item: 'nail', quantity: 50 },
    { text: 'out of stock', cents: 12_500, available: false },
  ],
  [
    'is answered early when it is large',
    { item: 'nail', quantity: 500 },
    { text: '500 x nail goes to review', cents: 0, available: false },
  ],
  [
    'ends at the first node when it is a sample',
    { item: 'sample', quantity: 1 },
    { text: 'samples are free', cents: 0, available: true },
  ],
  [
    'has its error handled by the join',
    { item: 'ghost', quantity: 1 },
    { text: expect.stringContaining('nobody has ever seen a ghost'), cents: 0, available: false },
  ],
])('an order %s', async (_what, order, receipt) => {
  expect(await client.call(order)).toEqual(receipt)
})

test('an order without a quantity fails at once, with the node and the reason', async () => {
  await expect(client.call({ item: 'nail' })).rejects.toMatchObject({
    code: 13,
    details: expect.stringMatching(/sort.*an order needs a quantity/),
  })
})

test('a large order is kept as a document after its answer', async () => {
  await client.call({ item: 'screw', quantity: 101 })
  const document = await waitUntil('the document', () => savedReview(kre.dataDir, 'screw'), {
    everyMs: 100,
  })
  expect(document).toMatchObject({ item: 'screw', quantity: 101 })
})

test('no order is mixed up with another when many are under way', async () => {
  const quantities = Array.from({ length: 100 }, (_, i) => (i % 10) + 1)
  const receipts = await Promise.all(
    quantities.map((quantity) => client.call({ item: 'nail', quantity })),
  )
  expect(receipts).toEqual(
    quantities.map((quantity) => ({ text: 'ordered', cents: quantity * 250, available: true })),
  )
})

/** Read from the store itself, as it is on disk. */
function savedReview(dataDir: string, item: string): unknown {
  const database = new DatabaseSync(join(dataDir, 'outputs.sqlite'), { readOnly: true })
  try {
    const rows = database
      .prepare("SELECT document FROM documents WHERE collection = 'reviews'")
      .all() as { document: string }[]
    return rows
      .map(({ document }) => JSON.parse(document) as { item: string })
      .find((document) => document.item === item)
  } finally {
    database.close()
  }
}
