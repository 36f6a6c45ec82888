/** What every gRPC client can expect of a served version. */
import { expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import type { CallSpec, ClientTraits, InteropClient, Outcome } from './interop-client.ts'
import { RUN, SERVICE, type InteropEngine } from './interop-version.ts'
import { decodePayload, encodePayload, type Payload } from './payload.ts'

const OK = 0
const CANCELLED = 1
const DEADLINE_EXCEEDED = 4
const UNIMPLEMENTED = 12
const INTERNAL = 13
const UNAVAILABLE = 14
/** Long enough for many pings, short enough for a test. */
const PINGS_OF_A_CALL = 6
const KIB = 1024

type Place = {
  client: () => InteropClient
  address: () => string
  engine: () => InteropEngine
  version: string
  traits: ClientTraits
}
type Request = Partial<Payload>

export function clientSuite(place: Place): void {
  const call = (requests: Request[], spec: Partial<CallSpec> = {}) =>
    place.client().call({
      address: place.address(),
      path: RUN,
      payloads: requests.map((request) => encodePayload(request)),
      ...spec,
    })
  const one = async (request: Request, spec: Partial<CallSpec> = {}): Promise<Outcome> => {
    const [outcome] = await call([request], spec).outcomes
    if (outcome === undefined) throw new Error('no outcome')
    return outcome
  }
  /** What a command other than an echo answers. */
  const tell = async <T>(command: string, spec: Partial<CallSpec> = {}): Promise<T> => {
    const outcome = await one({ command }, spec)
    if (outcome.data === null) throw new Error(`${command}: ${outcome.code} ${outcome.message}`)
    return JSON.parse(Buffer.from(decodePayload(outcome.data).data).toString()) as T
  }
  const counts = () => tell<{ asleep: number; cancelled: number }>('counts')

  test.each([0, 100, 900 * KIB])('sends and gets %i bytes', async (bytes) => {
    const data = pattern(bytes)
    const outcome = await one({ data })
    expect(outcome).toMatchObject({ code: OK })
    expect(same(outcome, data)).toBe(true)
    expect(outcome.trailers['request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test.each([
    ['200 calls at once on one connection', 200, 1],
    ['200 calls at once on 20 connections', 200, 20],
  ])('gets for each of %s its own answer', async (_what, calls, channels) => {
    const texts = Array.from({ length: calls }, (_, index) => Buffer.from(`call ${index}`))
    const outcomes = await call(
      texts.map((data) => ({ data })),
      { channels },
    ).outcomes
    expect(outcomes.filter((outcome, index) => !same(outcome, texts[index]))).toEqual([])
  })

  test('sends gzip and takes gzip', async () => {
    const small = Buffer.from('small, and compressed all the same')
    expect(same(await one({ data: small }, { gzip: true }), small)).toBe(true)
    const outcome = await one({ command: 'repeat', number: 200 * KIB }, { gzip: true })
    expect(same(outcome, Buffer.alloc(200 * KIB, 'x'))).toBe(true)
    if (place.traits.showsEncoding) expect(outcome.trailers['grpc-encoding']).toBe('gzip')
  })

  test('passes its deadline on to the nodes, which stop when it is over', async () => {
    const { remainingMs } = await tell<{ remainingMs: number }>('describe', { deadlineMs: 9_000 })
    expect(remainingMs).toBeGreaterThan(0)
    // grpcio rounds what it sends up to two digits.
    expect(remainingMs).toBeLessThanOrEqual(10_000)
    const before = await counts()
    const outcome = await one({ command: 'sleep', number: 30_000 }, { deadlineMs: 300 })
    expect(outcome).toMatchObject({ code: DEADLINE_EXCEEDED })
    await waitUntil('the node to stop', async () => {
      const now = await counts()
      return now.asleep === before.asleep && now.cancelled === before.cancelled + 1
    })
  })

  test('cancels a call in flight, and the node stops', async () => {
    const before = await counts()
    const sleeping = call([{ command: 'sleep', number: 30_000 }])
    await waitUntil('the call to sleep', async () => (await counts()).asleep > before.asleep)
    sleeping.cancel()
    expect(await sleeping.outcomes).toMatchObject([{ code: CANCELLED }])
    await waitUntil('the node to stop', async () => {
      const now = await counts()
      return now.asleep === before.asleep && now.cancelled === before.cancelled + 1
    })
  })

  test('passes x-krt-* metadata and its request id on, and nothing else', async () => {
    const id = '7f1e5b5c-3b4d-4c8e-9d4a-2c1f7e6a5b40'
    const metadata = { 'x-krt-tenant': 'blue, green', 'x-request-id': id, authorization: 'secret' }
    const outcome = await one({ command: 'describe' }, { metadata })
    expect(outcome.trailers).toMatchObject({ 'request-id': id })
    const told = JSON.parse(
      Buffer.from(decodePayload(outcome.data ?? new Uint8Array(0)).data).toString(),
    ) as object
    expect(told).toMatchObject({ requestId: id, metadata: { 'x-krt-tenant': 'blue, green' } })
    expect(JSON.stringify(told)).not.toContain('secret')
  })

  test('gets the status, text and machine-readable origin of a failure', async () => {
    const outcome = await one({ command: 'fail' })
    expect(outcome).toMatchObject({
      code: INTERNAL,
      message: expect.stringContaining('größer als 100 %'),
      data: null,
      errorInfo: {
        reason: 'NODE_FAILED',
        domain: 'kre',
        metadata: { node: 'obey', workflow: 'run', requestId: outcome.trailers['request-id'] },
      },
    })
  })

  test.each([
    ['an unknown method', `/${SERVICE}/Nothing`],
    ['an unknown service', '/some.Where/Run'],
    ['a method without a workflow', `/${SERVICE}/Unused`],
  ])('gets UNIMPLEMENTED for %s', async (_what, path) => {
    expect(await one({}, { path })).toMatchObject({ code: UNIMPLEMENTED, data: null })
  })

  test('is refused with headers beyond the limit, and only that call', async () => {
    const neighbour = call([{ command: 'sleep', number: 300 }])
    const refused = await one({}, { metadata: { 'x-krt-large': 'x'.repeat(20 * KIB) } })
    expect(refused.code).not.toBe(OK)
    expect(await neighbour.outcomes).toMatchObject([{ code: OK }])
    const passed = await one({}, { metadata: { 'x-krt-large': 'x'.repeat(4 * KIB) } })
    expect(passed).toMatchObject({ code: OK })
  })

  test('goes on after headers that are too much even to be read', async () => {
    const refused = await one({}, { metadata: { 'x-krt-large': 'x'.repeat(200 * KIB) } })
    expect(refused.code).not.toBe(OK)
    await waitUntil('an answer', async () => (await one({})).code === OK)
  })

  test.each(['v1', 'v1alpha'] as const)('learns the interface by reflection %s', async (of) => {
    expect(await place.client().listServices(place.address(), of)).toContain(SERVICE)
    const methods = await place.client().describe(place.address(), of, SERVICE)
    expect(methods).toContain('Run: .interop.Payload -> .interop.Payload')
  })

  test('asks for the health of the process and of the service', async () => {
    const ask = (service: string) => place.client().check(place.address(), service)
    expect(await Promise.all([ask(''), ask(SERVICE), ask('not.There')])).toEqual([
      'SERVING',
      'SERVING',
      'code 5',
    ])
  })

  const keepaliveMs = place.traits.keepaliveMsMin
  const ifKeepalive = keepaliveMs === null ? test.skip : test
  const why = keepaliveMs === null ? ' (skipped: the stack pings too seldom to wait for it)' : ''
  ifKeepalive(`may ping all the time while a call waits${why}`, async () => {
    if (keepaliveMs === null) return
    const number = keepaliveMs * PINGS_OF_A_CALL
    expect(await one({ command: 'sleep', number }, { keepaliveMs })).toMatchObject({ code: OK })
  })

  /** Calls on four connections that are with the nodes and will be for a while. */
  const occupy = async () => {
    const before = await counts()
    const requests = Array.from({ length: 20 }, () => ({ command: 'sleep', number: 1_500 }))
    const sleeping = call(requests, { channels: 4 })
    await waitUntil('calls in flight', async () => (await counts()).asleep === before.asleep + 20)
    return sleeping
  }
  const codesOf = (outcomes: readonly Outcome[]) => [...new Set(outcomes.map(({ code }) => code))]

  test('loses no call when its entrypoint is told to end, and finds the next one', async () => {
    const watch = place.client().watch(place.address(), SERVICE)
    await waitUntil('the first status', () => watch.statuses.length > 0)
    const sleeping = await occupy()
    await place.engine().endEntrypoint(place.version)
    // The end of the watch: from here on, the connections are going away.
    await watch.ended
    const patient = place.traits.canWaitForReady
      ? call([{ data: pattern(10) }], { waitForReady: true }).outcomes
      : null
    expect(codesOf(await sleeping.outcomes)).toEqual([OK])
    expect(watch.statuses[0]).toBe('SERVING')
    if (patient !== null) expect(codesOf(await patient)).toEqual([OK])
    await waitUntil('an answer', async () => (await one({})).code === OK)
  })

  test('loses no call in flight when the version stops, and is told that nobody is there', async () => {
    const sleeping = await occupy()
    await place.engine().stop(place.version)
    expect(codesOf(await sleeping.outcomes)).toEqual([OK])
    expect(await one({})).toMatchObject({ code: UNAVAILABLE })
  })
}

/** Bytes that no mix-up keeps as they are. */
function pattern(bytes: number): Buffer {
  const data = Buffer.alloc(bytes)
  for (let i = 0; i < bytes; i++) data[i] = (i * 31 + (i >> 8)) & 0xff
  return data
}

function same(outcome: Outcome, wanted: Buffer | undefined): boolean {
  return outcome.data !== null && wanted?.equals(decodePayload(outcome.data).data) === true
}
