/** HTTP/1.1 as no client should speak it, and bodies that no door should be given. */
import { connect } from 'node:net'
import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import fc from 'fast-check'
import {
  type DoorsScene,
  EVERYTHING,
  openDoors,
} from '../../runners/entrypoint/src/testing/doors-version.ts'
import { frame } from '../../runners/entrypoint/src/testing/raw-client.ts'
import { damage, fate } from './damage.ts'

let nats: TestNats
/** Impatient, as most damaged sessions end by a timeout. */
let scene: DoorsScene
let patient: DoorsScene
beforeAll(async () => {
  nats = await startNats()
  patient = await openDoors(nats)
  scene = await openDoors(nats, {
    limits: { receiveMs: 100, handshakeMs: 100, idleMs: 200, sweepMs: 20 },
  })
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await patient[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

const post = (headers: string, body: string) =>
  Buffer.from(
    `POST ${EVERYTHING} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${body}`,
  )

/** What a right client sends over one connection, in parts. */
const SESSION: readonly Buffer[] = [
  Buffer.from('GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n'),
  post('content-length: 16', '{"text":"first"}'),
  post('transfer-encoding: chunked', '11\r\n{"text":"second"}\r\n0\r\n\r\n'),
  Buffer.from('GET /v1/all/third?flag=true HTTP/1.1\r\nhost: x\r\n\r\n'),
  Buffer.from('OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n'),
  Buffer.from('HEAD /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n'),
  post('expect: 100-continue\r\ncontent-length: 2', '{}'),
]

async function expectUnharmed(of: DoorsScene) {
  const answer = await fetch(`${of.url}/v1/all/fine`)
  expect([answer.status, await answer.json()]).toMatchObject([200, { text: 'fine' }])
  await waitUntil('nothing is left of the others', () => {
    const { bytes, inFlight, receiving } = of.entrypoint.stats()
    return bytes === 0 && inFlight === 0 && receiving === 0
  })
  const { accepted, answered, errored, expired, cancelled } = of.entrypoint.stats()
  expect(accepted).toBe(answered + errored + expired + cancelled)
}

/** Sends in two pieces and resolves with what came back when the server has closed. */
async function speak(bytes: Buffer, cut: number): Promise<string> {
  const socket = connect(scene.entrypoint.port, '127.0.0.1')
  let received = ''
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => void (received += chunk.toString('latin1')))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(bytes.subarray(0, cut))
  await new Promise(setImmediate)
  socket.write(bytes.subarray(cut))
  await closed
  return received
}

describe('a session', () => {
  test('as it should be is answered, wherever it is cut', async () => {
    for (const cut of [0, 1, 17, 40, 100, 300]) {
      const received = await speak(Buffer.concat(SESSION), cut)
      const statuses = [...received.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status)
      // Who does not wait to be told to go on may be told, or not.
      expect(statuses.filter((status) => status !== '100')).toEqual([
        '200',
        '200',
        '200',
        '200',
        '404',
        '200',
        '200',
      ])
    }
  })

  test('is told to go on when it is its turn, and never inside of an answer', async () => {
    const ask = post('expect: 100-continue\r\ncontent-length: 15', '')
    const socket = connect(scene.entrypoint.port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk: Buffer) => void (received += chunk.toString('latin1')))
    socket.write(Buffer.concat([post('content-length: 16', '{"text":"first"}'), ask]))
    await waitUntil('told to go on', () => received.includes('HTTP/1.1 100 '))
    expect(received).toMatch(/^HTTP\/1\.1 200 .*"first".*HTTP\/1\.1 100 Continue\r\n\r\n$/s)
    socket.write('{"text":"last"}')
    await waitUntil('answered', () => received.includes('"last"'))
    expect(received).toMatch(/Continue\r\n\r\nHTTP\/1\.1 200 /)
    socket.destroy()
  })

  test('that was changed in any way harms nobody else', async () => {
    const damaged = fc.tuple(fc.array(fate, { minLength: 1, maxLength: 5 }), fc.nat({ max: 400 }))
    await fc.assert(
      // Many at once, as each waits for its end.
      fc.asyncProperty(fc.array(damaged, { minLength: 20, maxLength: 40 }), async (sessions) => {
        const answers = sessions.map(([fates, cut]) => speak(damage(SESSION, fates), cut))
        for (const received of await Promise.all(answers))
          if (received.startsWith('HTTP')) expect(received).toMatch(/^HTTP\/1\.1 [1-5]\d\d /)
      }),
      { numRuns: 30, interruptAfterTimeLimit: 5_000 },
    )
    await expectUnharmed(scene)
  })
})

describe('a body of any bytes', () => {
  const anyBody = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => frame(Buffer.from(bytes))),
    fc
      .array(fc.uint8Array({ maxLength: 20 }), { maxLength: 4 })
      .map((pieces) =>
        Buffer.from(pieces.map((piece) => Buffer.from(piece).toString('base64')).join('')),
      ),
  )
  const ENCODINGS = {
    identity: (bytes: Uint8Array) => bytes,
    gzip: (bytes: Uint8Array) => gzipSync(bytes),
    deflate: (bytes: Uint8Array) => deflateSync(bytes),
  } as const
  const encoding = fc.constantFrom(...(Object.keys(ENCODINGS) as (keyof typeof ENCODINGS)[]))

  test.each([
    'application/json',
    'application/grpc-web',
    'application/grpc-web-text',
    'text/plain',
    '',
  ])('of type "%s" is answered, and never as a fault of the server', async (type) => {
    await fc.assert(
      fc.asyncProperty(anyBody, encoding, fc.boolean(), async (body, name, isDamaged) => {
        const encoded = Buffer.from(ENCODINGS[name](body))
        if (isDamaged && encoded.length > 4) encoded[encoded.length >> 1] = 0xff
        const answer = await fetch(patient.url + EVERYTHING, {
          method: 'POST',
          headers: { 'content-type': type, 'content-encoding': name },
          body: encoded,
        })
        const bytes = Buffer.from(await answer.arrayBuffer())
        if (type.startsWith('application/grpc-web')) {
          expect(answer.status).toBe(200)
          const text = bytes.toString('latin1')
          const trailers = text + Buffer.from(text, 'base64').toString('latin1')
          // The node sends back what is no message of its type: that is not the door's affair.
          expect(trailers).toMatch(/grpc-status: (0|3|8|12)\r\n/)
        } else expect([200, 400, 413, 415]).toContain(answer.status)
      }),
      { numRuns: 150, interruptAfterTimeLimit: 3_000 },
    )
    await expectUnharmed(patient)
  })
})
