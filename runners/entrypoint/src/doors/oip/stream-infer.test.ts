import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { GRPC_STATUS } from '@kre/contracts'
import { GRPCInferenceService, type ModelStreamInferResponse } from '@kre/contracts/oip'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { type DoorsScene, openDoors } from '../../testing/doors-version.ts'
import { frame } from '../../testing/raw-client.ts'
import { type DecoupledScene, openDecoupled } from './testing/decoupled-version.ts'
import { encodeRequest, openInferStream } from './testing/infer-stream.ts'
import { callOip, type Request, tensorsRequest } from './testing/oip-grpc-client.ts'

const { method } = GRPCInferenceService

let nats: TestNats
let scene: DoorsScene
let decoupled: DecoupledScene
beforeAll(async () => {
  nats = await startNats()
  scene = await openDoors(nats, { launch: { requestTimeoutMs: 5_000 } })
  decoupled = await openDecoupled(nats)
})
afterAll(async () => {
  await decoupled[Symbol.asyncDispose]()
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})
afterEach(async () => {
  for (const each of [scene, decoupled])
    await waitUntil('nothing is held', () => {
      const { bytes, inFlight } = each.entrypoint.stats()
      return bytes === 0 && inFlight === 0
    })
})

const summary = ({ errorMessage, inferResponse }: ModelStreamInferResponse) => ({
  id: inferResponse?.id,
  isFinal: inferResponse?.parameters['triton_final_response']?.parameterChoice.value,
  outputs: inferResponse?.outputs.length,
  error: errorMessage,
})
const withFinal = (more: Request = {}): Request =>
  tensorsRequest(
    {},
    {
      parameters: {
        triton_enable_empty_final_response: {
          parameterChoice: { case: 'boolParam', value: true },
        },
      },
      ...more,
    },
  )

describe('ModelStreamInfer', () => {
  test('answers each request in its turn, and ends when its caller has no more', async () => {
    const calls = openInferStream(scene)
    const ids = Array.from({ length: 200 }, (_, i) => `r${i}`)
    calls.send(...ids.map((id) => tensorsRequest({}, { id })))
    const { status } = await calls.finish()
    expect(status).toBe(0)
    expect(calls.responses.map(summary)).toEqual(
      ids.map((id) => ({ id, isFinal: true, outputs: 11, error: '' })),
    )
  })

  test('keeps the order when a later answer is ready first', async () => {
    const held: (() => void)[] = []
    await using slow = await openDoors(nats, {
      all: {
        handler: (request) => {
          held.push(() => slow.all.reply(request, { value: request.value, typeUrl: ALL }))
          return null
        },
      },
    })
    const ask = (id: string, text: string): Request => ({
      modelName: 'everything',
      id,
      inputs: [
        {
          name: 'request',
          datatype: 'BYTES',
          shape: [1n],
          contents: { bytesContents: [Buffer.from(text)] },
        },
      ],
    })
    const calls = openInferStream(slow)
    calls.send(ask('first', ''), ask('second', ''), tensorsRequest({}, { id: 'third' }))
    await waitUntil('both are with the node', () => held.length === 2)
    held[1]?.()
    await waitUntil('the third is answered', () => slow.tensors.requests.length === 1)
    expect(calls.responses).toEqual([])
    held[0]?.()
    await calls.finish()
    expect(calls.responses.map(({ inferResponse }) => inferResponse?.id)).toEqual([
      'first',
      'second',
      'third',
    ])
  })

  test('says of a failed request what is wrong with it, and goes on', async () => {
    const calls = openInferStream(scene)
    calls.send(tensorsRequest({}, { modelName: 'nobody', id: 'a' }))
    calls.send(tensorsRequest({ floats: null }, { id: 'b' }))
    calls.sendBytes(frame(Buffer.of(255)))
    calls.sendBytes(frame(''))
    calls.send(tensorsRequest({}, { id: 'c' }))
    const { status } = await calls.finish()
    expect(status).toBe(0)
    expect(calls.responses.map(summary)).toEqual([
      { id: 'a', isFinal: true, outputs: 0, error: expect.stringContaining('"nobody"') },
      { id: 'b', isFinal: true, outputs: 0, error: expect.stringContaining('"floats"') },
      { id: '', isFinal: true, outputs: 0, error: expect.stringContaining('ModelInferRequest') },
      { id: '', isFinal: true, outputs: 0, error: expect.stringContaining('model ""') },
      { id: 'c', isFinal: true, outputs: 11, error: '' },
    ])
  })

  test('gives each answer of a request that has several, and the empty final one when asked', async () => {
    decoupled.script = ['part', 'part']
    const calls = openInferStream(decoupled)
    calls.send(withFinal({ id: 'a' }), tensorsRequest({}, { id: 'b' }))
    calls.send(tensorsRequest({}, { modelName: 'single', id: 'c' }))
    await calls.finish()
    const part = { outputs: 11, error: '' }
    expect(calls.responses.map(summary)).toEqual([
      { id: 'a', isFinal: false, ...part },
      { id: 'a', isFinal: false, ...part },
      { id: 'a', isFinal: true, outputs: 0, error: '' },
      { id: 'b', isFinal: false, ...part },
      { id: 'b', isFinal: false, ...part },
      { id: 'c', isFinal: true, ...part },
    ])
    expect(decoupled.requests.every(({ metadata }) => Object.keys(metadata).length === 0)).toBe(
      true,
    )
  })

  test('says where an answer of several parts failed', async () => {
    decoupled.script = ['part', 'fail']
    const calls = openInferStream(decoupled)
    calls.send(withFinal({ id: 'a' }))
    await calls.received(2)
    decoupled.script = ['malformed', 'part']
    calls.send(withFinal({ id: 'b' }))
    const { status } = await calls.finish()
    expect(status).toBe(0)
    expect(calls.responses.map(summary)).toEqual([
      { id: 'a', isFinal: false, outputs: 11, error: '' },
      { id: 'a', isFinal: true, outputs: 0, error: 'no more' },
      { id: 'b', isFinal: true, outputs: 0, error: expect.stringContaining('doors.TensorSet') },
    ])
  })

  test('takes compressed messages in their order', async () => {
    const calls = openInferStream(scene, { 'grpc-encoding': 'gzip' })
    for (const id of ['a', 'b', 'c']) {
      const plain = encodeRequest(tensorsRequest({}, { id }))
      calls.sendBytes(id === 'b' ? plain : frame(gzipSync(plain.subarray(5)), 1))
    }
    await calls.finish()
    expect(calls.responses.map(({ inferResponse }) => inferResponse?.id)).toEqual(['a', 'b', 'c'])
  })

  test('gives its requests ids of their own, and what is left of its deadline', async () => {
    const id = '7f1e5b5c-3b4d-4c8e-9d4a-2c1f7e6a5b41'
    const before = scene.tensors.requests.length
    const calls = openInferStream(scene, { 'grpc-timeout': '3S', 'x-request-id': id })
    calls.send(tensorsRequest(), tensorsRequest())
    await calls.finish()
    const sent = scene.tensors.requests.slice(before)
    expect(new Set([id, ...sent.map(({ requestId }) => requestId)]).size).toBe(3)
    for (const { deadlineUnixMs } of sent)
      expect(deadlineUnixMs - Date.now()).toBeLessThanOrEqual(3_001)
  })
})

const ALL = 'type.googleapis.com/doors.All'

describe('a stream of inferences', () => {
  const { 'invalid-argument': invalid, unimplemented, internal } = GRPC_STATUS
  test.each<[string, Record<string, string>, Buffer, number]>([
    ['a message beyond the limit', {}, Buffer.from('007fffffff', 'hex'), invalid],
    ['a flag that is none', {}, Buffer.from('0500000000', 'hex'), invalid],
    ['a message that is cut', {}, Buffer.from('000000000901', 'hex'), invalid],
    ['compression without a word', {}, frame('x', 1), internal],
    ['what is not gzip', { 'grpc-encoding': 'gzip' }, frame('x', 1), invalid],
    ['an unknown encoding', { 'grpc-encoding': 'br' }, frame('x'), unimplemented],
    ['a timeout that is none', { 'grpc-timeout': 'soon' }, frame('x'), invalid],
  ])('ends at %s', async (_what, headers, bytes, wanted) => {
    const calls = openInferStream(scene, headers)
    calls.sendBytes(bytes)
    const { status, message } = await calls.finish()
    expect({ status, hasText: message.length > 10 }).toEqual({ status: wanted, hasText: true })
  })

  test('ends at its deadline, and takes the work with it', async () => {
    await using silent = await openDoors(nats, { all: { handler: () => null } })
    const calls = openInferStream(silent, { 'grpc-timeout': '200m' })
    const contents = { bytesContents: [Buffer.alloc(0)] }
    calls.send({
      modelName: 'everything',
      inputs: [{ name: 'request', datatype: 'BYTES', shape: [1n], contents }],
    })
    const { status } = await calls.closed
    expect(status).toBe(GRPC_STATUS['deadline-exceeded'])
    await waitUntil('cancelled', () => silent.all.cancelled.length === 1)
    await waitUntil('nothing is held', () => silent.entrypoint.stats().bytes === 0)
  })

  test('takes its work with it when its caller goes away', async () => {
    await using silent = await openDoors(nats, { all: { handler: () => null } })
    const calls = openInferStream(silent)
    const contents = { bytesContents: [Buffer.alloc(0)] }
    const request: Request = {
      modelName: 'everything',
      inputs: [{ name: 'request', datatype: 'BYTES', shape: [1n], contents }],
    }
    calls.send(request, request)
    await waitUntil('with the node', () => silent.all.requests.length === 2)
    calls.stream.close(8)
    await waitUntil('cancelled', () => silent.all.cancelled.length === 2)
    await waitUntil('nothing is held', () => silent.entrypoint.stats().bytes === 0)
  })

  test('is cut off when a message does not come to its end', async () => {
    await using impatient = await openDoors(nats, { limits: { receiveMs: 50 } })
    const calls = openInferStream(impatient)
    calls.send(tensorsRequest())
    await calls.received(1)
    calls.sendBytes(Buffer.from('000000000901', 'hex'))
    const { status, message } = await calls.closed
    expect(status).toBe(GRPC_STATUS['deadline-exceeded'])
    expect(message).toContain('50 ms')
  })

  test('stops reading while its caller does not read, and goes on when it does', async () => {
    const calls = openInferStream(scene)
    calls.stream.pause()
    const text = Buffer.alloc(30_000, 'x')
    const large = tensorsRequest({
      text: { datatype: 'BYTES', shape: [1n], contents: { bytesContents: [text] } },
    })
    const before = scene.tensors.requests.length
    calls.send(...Array.from({ length: 100 }, () => large))
    await waitUntil('answers wait', () => scene.entrypoint.stats().bytes > 100_000)
    // Whoever reads is served meanwhile, and by then the stream has sent what it will.
    for (let i = 0; i < 3; i++)
      expect((await callOip(scene, method.modelInfer, tensorsRequest())).status).toBe(0)
    expect(scene.tensors.requests.length - before).toBeLessThan(90)
    calls.stream.resume()
    await calls.finish()
    expect(calls.responses).toHaveLength(100)
  })

  test('counts messages that have no bytes, too', async () => {
    await using small = await openDoors(nats, { limits: { bytesMax: 64 * 1024 } })
    const calls = openInferStream(small)
    calls.stream.pause()
    calls.sendBytes(Buffer.concat(Array.from({ length: 50_000 }, () => frame(''))))
    calls.stream.resume()
    const { status } = await calls.closed
    expect(status).toBe(GRPC_STATUS['resource-exhausted'])
    await waitUntil('nothing is held', () => small.entrypoint.stats().bytes === 0)
  })

  test('answers what it has when the entrypoint stops, and is told to come back', async () => {
    const held: (() => void)[] = []
    await using stopped = await openDoors(nats, {
      all: {
        handler: (request) => {
          held.push(() => stopped.all.reply(request, { value: request.value, typeUrl: ALL }))
          return null
        },
      },
    })
    const idle = openInferStream(stopped)
    const busy = openInferStream(stopped)
    idle.send(tensorsRequest())
    await idle.received(1)
    const contents = { bytesContents: [Buffer.alloc(0)] }
    const inputs = [{ name: 'request', datatype: 'BYTES', shape: [1n], contents }]
    busy.send({ modelName: 'everything', inputs })
    await waitUntil('with the node', () => held.length === 1)
    const stop = stopped.entrypoint.stop()
    expect((await idle.closed).status).toBe(GRPC_STATUS.unavailable)
    held[0]?.()
    expect((await busy.closed).status).toBe(GRPC_STATUS.unavailable)
    expect(busy.responses.map(({ errorMessage }) => errorMessage)).toEqual([''])
    await stop
  })

  test('is one of a bounded number', async () => {
    await using few = await openDoors(nats, { limits: { doorStreamsMax: 1 } })
    const first = openInferStream(few)
    first.send(tensorsRequest())
    await first.received(1)
    const { status } = await openInferStream(few).closed
    expect(status).toBe(GRPC_STATUS['resource-exhausted'])
    await first.finish()
  })
})
