import { createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { type DoorsScene, EVERYTHING, openDoors } from '../testing/doors-version.ts'

let nats: TestNats
let scene: DoorsScene
beforeAll(async () => {
  nats = await startNats()
  scene = await openDoors(nats)
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

type Operation = {
  operationId: string
  parameters?: { name: string; in: string }[]
  requestBody?: { content: Record<string, { schema: unknown }> }
  responses: Record<string, { content: Record<string, { schema: unknown }> }>
}
type Document = {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { properties: Record<string, unknown> }> }
}

async function document(): Promise<Document> {
  const response = await fetch(`${scene.url}/openapi.json`)
  expect(response.headers.get('content-type')).toBe('application/json')
  return (await response.json()) as Document
}

describe('GET /openapi.json', () => {
  test('describes each rpc with a workflow and each annotated path', async () => {
    const { openapi, paths } = await document()
    expect(openapi).toBe('3.1.0')
    expect(
      Object.entries(paths)
        .map(([path, operations]) => `${path} ${Object.keys(operations).join(' ')}`)
        .toSorted(),
    ).toEqual([
      '/doors.Entrypoint/Everything post',
      '/doors.Entrypoint/Tensors post',
      '/v1/all post',
      '/v1/all/{int64} delete',
      '/v1/all/{text} get',
      '/v1/all/{text}:mend patch',
      '/v1/nested/{one.name} get',
      '/v1/one/{text} put',
    ])
    const ids = Object.values(paths).flatMap((operations) =>
      Object.values(operations).map(({ operationId }) => operationId),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('has a schema for every reference, and forms for every kind of field', async () => {
    const whole = await document()
    const { schemas } = whole.components
    const references = [
      ...JSON.stringify(whole).matchAll(/"#\/components\/schemas\/([^"]+)"/g),
    ].map(([, name]) => name ?? '')
    expect(references.filter((name) => !(name in schemas))).toEqual([])
    expect(schemas['doors.All']?.properties).toMatchObject({
      int64: { type: 'string', format: 'int64' },
      blob: { type: 'string', contentEncoding: 'base64' },
      color: { enum: ['RED', 'GREEN'] },
      many: { type: 'array', items: { $ref: '#/components/schemas/doors.Part' } },
      counts: { type: 'object', additionalProperties: { format: 'int64' } },
      at: { format: 'date-time' },
      wrapped: { anyOf: [{ format: 'int64' }, { type: 'null' }] },
      snakeCaseName: { type: 'string' },
    })
  })

  test('names the parameters of paths and queries, and bodies that are a field', async () => {
    const { paths } = await document()
    const get = paths['/v1/all/{text}']?.['get']
    const names = get?.parameters?.map((parameter) => `${parameter.in} ${parameter.name}`)
    expect(names).toEqual(
      expect.arrayContaining([
        'path text',
        'query int64',
        'query texts',
        'query one.name',
        'query at',
      ]),
    )
    expect(names).not.toContain('query counts')
    const put = paths['/v1/one/{text}']?.['put']
    const part = { 'application/json': { schema: { $ref: '#/components/schemas/doors.Part' } } }
    expect(put).toMatchObject({
      requestBody: { content: part },
      responses: { 200: { content: part } },
    })
  })

  test('is there for GET only', async () => {
    expect((await fetch(`${scene.url}/openapi.json`, { method: 'POST' })).status).toBe(405)
    const head = await fetch(`${scene.url}/openapi.json`, { method: 'HEAD' })
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(1_000)
  })
})

describe('GET /proto', () => {
  test('gives descriptors that a client can be built on', async () => {
    const response = await fetch(`${scene.url}/proto`)
    expect(response.headers.get('content-type')).toMatch(/^application\/x-protobuf/)
    const bytes = new Uint8Array(await response.arrayBuffer())
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes))
    const service = registry.getService('doors.Entrypoint')
    expect(service?.methods.map(({ name }) => `/doors.Entrypoint/${name}`)).toContain(EVERYTHING)
  })

  test('is closed where reflection is', async () => {
    await using closed = await openDoors(nats, { launch: { reflection: false } })
    expect((await fetch(`${closed.url}/proto`)).status).toBe(404)
  })
})
