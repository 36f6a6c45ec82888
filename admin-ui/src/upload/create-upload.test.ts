import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createUpload, type UploadProgress } from './create-upload.ts'

const MIB = 1024 * 1024
const real = globalThis.fetch
/** What a browser tells its pages. */
const browser = new EventTarget()
Object.assign(globalThis, {
  addEventListener: browser.addEventListener.bind(browser),
  removeEventListener: browser.removeEventListener.bind(browser),
})

/** An engine that takes parts; the test says what goes wrong. */
function startEngine() {
  const uploads = new Map<string, number>()
  const asked: string[] = []
  const engine = {
    asked,
    uploads,
    /** Answers that come first, or a network that is gone. */
    faults: [] as (Response | 'cut')[],
  }
  globalThis.fetch = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const { method = 'GET', body } = init
    const id = /uploads\/([^/?]+)/.exec(url.pathname)?.[1]
    asked.push(`${method} ${id ?? url.pathname.split('/').at(-1)}`)
    const fault = method === 'PATCH' ? engine.faults.shift() : undefined
    if (fault === 'cut') throw new TypeError('network')
    if (fault !== undefined) return fault
    if (method === 'POST') {
      const made = `u${uploads.size + 1}`
      uploads.set(made, 0)
      return new Response(null, { status: 201, headers: { location: `/x/uploads/${made}` } })
    }
    if (method === 'PUT')
      return Response.json({ version: { name: 'v1' }, issues: [] }, { status: 201 })
    const has = uploads.get(id ?? '')
    if (has === undefined) return new Response(null, { status: 404 })
    const size = method === 'PATCH' ? (body as Blob).size : 0
    uploads.set(id ?? '', has + size)
    return new Response(null, { status: 200, headers: { 'upload-offset': String(has + size) } })
  }
  return engine
}

const file = (bytes: number): Blob => new Blob([new Uint8Array(bytes)])
const run = (upload: ReturnType<typeof createUpload>, signal = new AbortController().signal) => {
  const told: UploadProgress['state'][] = []
  const sent = upload.send({ signal, onProgress: ({ state }) => told.push(state) })
  return { sent, told }
}

describe('an upload', () => {
  beforeEach(() => {
    jest.useFakeTimers()
  })
  afterEach(() => {
    globalThis.fetch = real
    jest.useRealTimers()
  })

  test('of a small file is one request', async () => {
    const engine = startEngine()
    const { sent, told } = run(createUpload('demo', file(10)))
    expect(await sent).toEqual({ versionName: 'v1', issues: [] })
    expect(engine.asked).toEqual(['PUT versions'])
    expect(told).toEqual(['checking'])
  })

  test('of a large one goes on where it was cut', async () => {
    const engine = startEngine()
    engine.faults.push(
      new Response(null, { status: 204, headers: { 'upload-offset': '0' } }),
      'cut',
    )
    const { sent, told } = run(createUpload('demo', file(9 * MIB)))
    await jest.advanceTimersByTimeAsync(2_000)
    await sent
    expect(engine.uploads).toEqual(new Map([['u1', 9 * MIB]]))
    expect(told).toContain('waiting')
    expect(engine.asked.slice(0, 4)).toEqual(['POST uploads', 'PATCH u1', 'PATCH u1', 'HEAD u1'])
  })

  test('goes on at once when the network is back', async () => {
    const engine = startEngine()
    engine.faults.push('cut', 'cut', 'cut')
    const { sent, told } = run(createUpload('demo', file(5 * MIB)))
    for (let cut = 0; cut < 3; cut += 1) {
      await jest.advanceTimersByTimeAsync(10)
      expect(told.at(-1)).toBe('waiting')
      browser.dispatchEvent(new Event('online'))
    }
    await sent
    expect(engine.uploads.get('u1')).toBe(5 * MIB)
  })

  test('that was given up sends the rest when it is tried again', async () => {
    const engine = startEngine()
    const refusal = () =>
      Response.json({ code: 'resource_exhausted', message: 'no' }, { status: 429 })
    engine.faults.push(refusal())
    const upload = createUpload('demo', file(5 * MIB))
    await expect(run(upload).sent).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
    await run(upload).sent
    expect(engine.asked).toEqual([
      'POST uploads',
      'PATCH u1',
      'HEAD u1',
      'PATCH u1',
      'PATCH u1',
      'PUT versions',
    ])
  })

  test('that the engine has forgotten begins anew', async () => {
    const engine = startEngine()
    engine.faults.push(Response.json({ code: 'resource_exhausted' }, { status: 429 }))
    const upload = createUpload('demo', file(5 * MIB))
    await expect(run(upload).sent).rejects.toBeDefined()
    engine.uploads.delete('u1')
    engine.uploads.set('other', 0)
    await run(upload).sent
    expect(engine.asked.filter((one) => one.startsWith('POST'))).toHaveLength(2)
    expect(engine.uploads.get('u2')).toBe(5 * MIB)
  })

  test('waits no longer when it is left, and gives its room back', async () => {
    const engine = startEngine()
    engine.faults.push('cut')
    const controller = new AbortController()
    const upload = createUpload('demo', file(5 * MIB))
    const { sent, told } = run(upload, controller.signal)
    await jest.advanceTimersByTimeAsync(100)
    expect(told.at(-1)).toBe('waiting')
    controller.abort()
    await expect(sent).rejects.toMatchObject({ name: 'AbortError' })
    upload.forget()
    expect(engine.asked.at(-1)).toBe('DELETE u1')
  })

  test('gives up when nothing gets there for a minute', async () => {
    const engine = startEngine()
    engine.faults.push(...Array.from({ length: 50 }, () => 'cut' as const))
    const { sent } = run(createUpload('demo', file(5 * MIB)))
    const refused = expect(sent).rejects.toMatchObject({ code: 'UNREACHABLE' })
    await jest.advanceTimersByTimeAsync(90_000)
    await refused
  })
})
