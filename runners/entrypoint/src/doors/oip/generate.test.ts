import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { type DoorsScene, openDoors } from '../../testing/doors-version.ts'
import { type DecoupledScene, openDecoupled } from './testing/decoupled-version.ts'
import { sendRest } from './testing/oip-rest-client.ts'

let nats: TestNats
let scene: DoorsScene
let decoupled: DecoupledScene
beforeAll(async () => {
  nats = await startNats()
  scene = await openDoors(nats)
  decoupled = await openDecoupled(nats)
})
afterAll(async () => {
  await decoupled[Symbol.asyncDispose]()
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

/** The other inputs of the model, which has none that are optional but one. */
const REST = {
  floats: [1.5],
  doubles: 0.1,
  ints: [],
  longs: [],
  uints: [],
  ulongs: [],
  flags: true,
  texts: [],
  blobs: [],
  scalar: 7,
}
const ask = (body: object | string, path = '/v2/models/tensors/generate', at = scene) =>
  sendRest(at, path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

async function askStream(at: { url: string }, body: object) {
  const response = await fetch(`${at.url}/v2/models/tensors/generate_stream`, {
    method: 'POST',
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const events = text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => JSON.parse(event.replace(/^data: /, '')) as Record<string, unknown>)
  return { status: response.status, type: response.headers.get('content-type'), text, events }
}

describe('generate', () => {
  test('takes keys for tensors and gives tensors as keys', async () => {
    const { status, json } = await ask({ text_input: 'Ada', id: '42', ...REST })
    expect(status).toBe(200)
    expect(json).toEqual({
      id: '42',
      model_name: 'tensors',
      model_version: scene.version,
      ...REST,
      doubles: [0.1],
      flags: [true],
      text_output: 'Ada',
    })
  })

  test('takes what names an input from the parameters, too, and the rest as metadata', async () => {
    const before = scene.tensors.requests.length
    const { floats, ...rest } = REST
    const { status, json } = await ask({
      text: 'by its own name',
      ...rest,
      stream: false,
      parameters: { floats, maybe: 2.5, temperature: 0.5, priority: 1 },
    })
    expect(status).toBe(200)
    expect(json).toMatchObject({ maybe: 2.5, floats: [1.5], text_output: 'by its own name' })
    expect(scene.tensors.requests[before]?.metadata).toEqual({
      'x-krt-param-stream': 'false',
      'x-krt-param-temperature': '0.5',
      'x-krt-priority': 'high',
    })
  })

  test.each<[string, object | string]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['a missing input', { text_input: 'x' }],
    ['no text', { ...REST }],
    ['a number for a text', { ...REST, text_input: 1 }],
    ['null', { ...REST, text_input: null }],
    ['an input by both of its names', { ...REST, text_input: 'x', text: 'y' }],
    ['an input twice', { ...REST, text_input: 'x', parameters: { scalar: 1 } }],
    ['two values for a scalar', { ...REST, text_input: 'x', scalar: [1, 2] }],
    ['nested values', { ...REST, text_input: 'x', floats: [[1]] }],
    ['a parameter that is a list', { ...REST, text_input: 'x', stop: ['a'] }],
    ['parameters that are no object', { ...REST, text_input: 'x', parameters: [] }],
    ['an id that is no text', { ...REST, text_input: 'x', id: 1 }],
    [
      'a number beyond all doubles',
      JSON.stringify({ text_input: 'x', t: 0 }).replace('0', '1e400'),
    ],
  ])('%s is 400 with an error', async (_what, body) => {
    for (const path of ['generate', 'generate_stream']) {
      const { status, json } = await ask(body, `/v2/models/tensors/${path}`)
      expect({ status, keys: Object.keys(json) }).toEqual({ status: 400, keys: ['error'] })
    }
  })

  test('is not for messages that are no tensors, nor for unknown models', async () => {
    const whole = await ask({ text_input: 'x' }, '/v2/models/everything/generate')
    expect(whole).toMatchObject({ status: 400, json: { error: expect.stringContaining('infer') } })
    expect(await ask({}, '/v2/models/nobody/generate')).toMatchObject({ status: 404 })
    expect(await ask({}, '/v2/models/tensors/versions/v0/generate_stream')).toMatchObject({
      status: 404,
    })
    expect(await sendRest(scene, '/v2/models/tensors/generate')).toMatchObject({ status: 405 })
  })

  test('is not for a workflow that answers with a stream', async () => {
    decoupled.script = ['part']
    const { status, json } = await sendRest(decoupled, '/v2/models/tensors/generate', {
      method: 'POST',
      body: JSON.stringify({ text_input: 'x', ...REST }),
    })
    expect(status).toBe(501)
    expect(json['error']).toContain('generate_stream')
  })
})

describe('generate_stream', () => {
  test('is one event for a workflow of one answer', async () => {
    const { status, type, events } = await askStream(scene, { text_input: 'Ada', ...REST })
    expect({ status, type }).toEqual({ status: 200, type: 'text/event-stream; charset=utf-8' })
    expect(events).toMatchObject([{ model_name: 'tensors', text_output: 'Ada', done: true }])
  })

  test('is an event for each answer, and one that says that there are no more', async () => {
    decoupled.script = ['part', 'part']
    const { events } = await askStream(decoupled, { text_input: 'Ada', ...REST })
    expect(events).toMatchObject([
      { text_output: 'Ada', done: false },
      { text_output: 'Ada', done: false },
      { text_output: '', done: true, model_name: 'tensors' },
    ])
  })

  test('says in its last event where it failed, or with its status when that was at once', async () => {
    decoupled.script = ['part', 'fail']
    const late = await askStream(decoupled, { text_input: 'Ada', ...REST })
    expect(late.status).toBe(200)
    expect(late.events).toMatchObject([{ done: false }, { error: 'no more' }])
    decoupled.script = ['fail']
    const early = await sendRest(decoupled, '/v2/models/tensors/generate_stream', {
      method: 'POST',
      body: JSON.stringify({ text_input: 'Ada', ...REST }),
    })
    expect(early).toMatchObject({ status: 400, json: { error: 'no more' } })
  })

  test('takes its work with it when its caller goes away', async () => {
    await using silent = await openDecoupled(nats)
    silent.script = ['part', ...Array.from({ length: 3 }, () => 'part' as const)]
    const controller = new AbortController()
    const gone = fetch(`${silent.url}/v2/models/tensors/generate_stream`, {
      method: 'POST',
      body: JSON.stringify({ text_input: 'Ada', ...REST }),
      signal: controller.signal,
    })
    controller.abort()
    await expect(gone).rejects.toThrow()
    await waitUntil('nothing is held', () => {
      const { bytes, inFlight } = silent.entrypoint.stats()
      return bytes === 0 && inFlight === 0
    })
  })
})

test('nothing is held afterwards', async () => {
  for (const each of [scene, decoupled])
    await waitUntil('released', () => {
      const { bytes, inFlight, receiving } = each.entrypoint.stats()
      return bytes === 0 && inFlight === 0 && receiving === 0
    })
})
