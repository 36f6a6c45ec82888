/** What an operator sees of a version without any other product: its traffic, single requests, and its log as a file. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { connectForeign, type ForeignClient } from './support/grpc-client.ts'
import { createKre, type Kre, type Status } from './support/kre.ts'

type Total = { calls: number; errors: number; rate: number; duration: { p50: number } | null }
type Traffic = {
  workflows: { workflowId: string; total: Total }[]
  nodes: { nodeId: string; total: Total }[]
  edges: { fromNodeId: string; toNodeId: string; total: Total }[]
}
type Request = { id: string; status: string; kept: string; elapsedMs: number }
type TracedRequest = Request & {
  steps: { nodeId: string; fromNodeId: string; ok: boolean; handlerMs: number }[]
}

const VERSION = ['-r', 'mine', 'hello-v1'] as const
const CALLS = 12

let kre: Kre
let client: ForeignClient

beforeAll(async () => {
  kre = await createKre()
  await kre.json('dev', '--detach', '--no-example')
  const bundle = join(kre.dataDir, '..', 'hello')
  await kre.json('krt', 'init', bundle, '--template', 'typescript')
  await kre.json('runtime', 'create', 'mine')
  await kre.json('version', 'create', '-r', 'mine', bundle)
  await kre.json('version', 'start', ...VERSION)
  await kre.json('version', 'publish', ...VERSION)
  const { entrypointAddress } = await kre.json<{ entrypointAddress: string }>(
    'runtime',
    'show',
    'mine',
  )
  client = await connectForeign(entrypointAddress, 'hello.Entrypoint', 'Greet')
  for (let i = 0; i < CALLS; i += 1) await client.call({ name: 'Ada' })
})
afterAll(async () => {
  client?.[Symbol.dispose]()
  await kre?.[Symbol.asyncDispose]()
})

async function traffic(): Promise<Traffic> {
  const { addresses } = await kre.json<Status>('status')
  const address = addresses.find(({ name }) => name === 'admin API')?.address
  const token = (await readFile(join(kre.dataDir, 'token'), 'utf8')).trim()
  const total = 'total { calls errors rate duration { p50 } }'
  const query = `query ($from: String!) { traffic(runtimeId: "mine", versionName: "hello-v1", from: $from) {
    workflows { workflowId ${total} } nodes { nodeId ${total} } edges { fromNodeId toNodeId ${total} } } }`
  const response = await fetch(`http://${address}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      query,
      variables: { from: new Date(Date.now() - 600_000).toISOString() },
    }),
  })
  return ((await response.json()) as { data: { traffic: Traffic } }).data.traffic
}

const stored = (calls: number) =>
  waitUntil(
    `${calls} calls in the store`,
    async () => {
      const found = await traffic()
      return found.workflows[0]?.total.calls === calls &&
        found.nodes.every(({ total }) => total.calls === calls)
        ? found
        : null
    },
    { everyMs: 250 },
  )

describe('traffic', () => {
  test('counts every call of workflow, nodes and edges, and an engine that is killed loses none of it', async () => {
    const { workflows, nodes, edges } = await stored(CALLS)
    expect(workflows).toHaveLength(1)
    expect(workflows[0]?.total).toMatchObject({
      errors: 0,
      duration: { p50: expect.any(Number) },
    })
    expect(nodes).toHaveLength(2)
    expect(edges.map(({ fromNodeId }) => fromNodeId)).toContain('entrypoint')
    expect(edges.every(({ total }) => total.calls === CALLS)).toBe(true)

    const { processes } = await kre.json<Status>('status')
    process.kill(processes.find(({ role }) => role === 'engine')?.pid ?? 0, 'SIGKILL')
    await kre.json('dev', '--detach', '--no-example')
    for (let i = 0; i < 3; i += 1) await client.call({ name: 'Ada' })
    await stored(CALLS + 3)
  })

  test('is shown while it happens', async () => {
    const top = kre.start('--json', 'version', 'top', ...VERSION)
    const seen = () =>
      top.written.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Traffic)
    await waitUntil(
      'a rate',
      async () => {
        await client.call({ name: 'Ada' })
        return seen().some(({ workflows }) => (workflows[0]?.total.rate ?? 0) > 0)
      },
      { everyMs: 100 },
    )
    top.child.kill('SIGINT')
    expect((await top.ended).code).toBe(0)
  })
})

describe('requests', () => {
  test('are kept with their way through the nodes', async () => {
    const requests = await kre.json<Request[]>('version', 'requests', ...VERSION)
    expect(requests.length).toBeGreaterThan(0)
    const { id = '' } = requests[0] ?? {}
    const request = await waitUntil('its steps', async () => {
      const found = await kre.json<TracedRequest>('version', 'requests', ...VERSION, id)
      return found.steps.length === 2 ? found : null
    })
    const [first, second] = request.steps
    expect(request.status).toBe('OK')
    expect(first).toMatchObject({ fromNodeId: 'entrypoint', ok: true })
    expect(second).toMatchObject({ fromNodeId: first?.nodeId, ok: true })
  })

  test('that were not kept are not found', async () => {
    const { code, stderr } = await kre.run('version', 'requests', ...VERSION, 'nope')
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('not kept') })
  })
})

describe('what is written down', () => {
  test('comes as a file of text or of JSON lines', async () => {
    const file = join(kre.dataDir, '..', 'hello.log')
    const { bytes } = await kre.json<{ bytes: number }>(
      'version',
      'logs',
      ...VERSION,
      '--out',
      file,
    )
    const text = await readFile(file, 'utf8')
    expect(Buffer.byteLength(text)).toBe(bytes)
    for (const line of text.split('\n').slice(0, -1))
      expect(JSON.parse(line)).toMatchObject({ version: 'hello-v1' })
    const { code, stdout } = await kre.run('version', 'metrics', ...VERSION)
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No predictions'),
    })
  })
})
