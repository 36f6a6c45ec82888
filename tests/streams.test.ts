/** Streams and large payloads through a whole engine: entrypoint, nodes of both languages, and a foreign gRPC client. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Client, type ClientReadableStream, credentials, status } from '@grpc/grpc-js'
import { MINUTE_MS, MiB } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { createKre, isAlive, type Kre, type Status } from './support/kre.ts'

const LIMIT = 64 * MiB
const FILES: Record<string, string> = {
  'public_input.proto': `syntax = "proto3";
package strm;
message Blob { bytes data = 1; uint32 count = 2; }
service Entrypoint {
  rpc Copy(Blob) returns (Blob);
  rpc Count(Blob) returns (stream Blob);
}
`,
  'kre.yaml': `krtVersion: v2
version: streams
description: streams and large payloads
entrypoint: { proto: public_input.proto, image: konstellation/kre-entrypoint:8.2 }
workflows:
  - name: copy
    entrypoint: Copy
    exitpoint: last
    nodes:
      - { name: first, image: konstellation/kre-ts:1.0, src: src/any.ts, subscriptions: [entrypoint] }
      - { name: middle, image: konstellation/kre-py:3.4, src: src/copy.py, subscriptions: [first] }
      - { name: last, image: konstellation/kre-ts:1.0, src: src/copy.ts, subscriptions: [middle] }
  - name: count
    entrypoint: Count
    exitpoint: counter
    nodes:
      - { name: prepare, image: konstellation/kre-ts:1.0, src: src/prepare.ts, subscriptions: [entrypoint] }
      - { name: counter, image: konstellation/kre-py:3.4, src: src/count.py, subscriptions: [prepare] }
`,
  'src/any.ts': 'export const defaultHandler = (ctx, data) => ctx.sendAny(data)\n',
  'src/copy.ts': `export const defaultHandler = async (ctx, data) => {
  const blob = ctx.unpack(data)
  if (blob.count === 100) await new Promise((resolve) => setTimeout(resolve, 1_500))
  blob.count++
  await ctx.sendOutput(blob)
}
`,
  'src/copy.py': `from public_input_pb2 import Blob

async def default_handler(ctx, data):
    blob = Blob()
    data.Unpack(blob)
    blob.count += 1
    await ctx.send_output(blob)
`,
  'src/prepare.ts': `export const defaultHandler = async (ctx, data) => {
  await ctx.stream.write({ count: 1_000_000 })
  await ctx.sendAny(data)
}
`,
  'src/count.py': `from public_input_pb2 import Blob

async def default_handler(ctx, data):
    blob = Blob()
    data.Unpack(blob)
    for count in range(1, blob.count + 1):
        await ctx.stream.write(Blob(count=count, data=blob.data))
`,
}

let kre: Kre
let folder: string
let client: Client
beforeAll(async () => {
  kre = await createKre({ KRE_PAYLOAD_BYTES_MAX: String(LIMIT) })
  folder = mkdtempSync(join(tmpdir(), 'kre-streams-'))
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  for (const words of [
    ['dev', '--detach', '--no-example'],
    ['runtime', 'create', 'demo'],
    ['version', 'create', '-r', 'demo', folder],
    ['version', 'start', '-r', 'demo', 'streams'],
  ]) {
    const { code, stderr } = await kre.run(...words)
    if (code !== 0) throw new Error(`krectl ${words.join(' ')}: ${stderr}`)
  }
  const { addresses } = await kre.json<Status>('status')
  const address = addresses.find(({ version }) => version === 'streams')?.address ?? ''
  client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  })
}, 3 * MINUTE_MS)
afterAll(async () => {
  client?.close()
  await kre[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
}, MINUTE_MS)

const raw = (bytes: Buffer) => bytes

/** `Blob{data, count}` on the wire. */
function blob(data: Buffer, count: number): Buffer {
  const varint = (value: number): number[] =>
    value > 127 ? [(value % 128) | 128, ...varint(Math.floor(value / 128))] : [value]
  return Buffer.concat([
    Buffer.from([0x0a, ...varint(data.length)]),
    data,
    Buffer.from([0x10, ...varint(count)]),
  ])
}
const copy = (message: Buffer) =>
  new Promise<Buffer>((resolve, reject) =>
    client.makeUnaryRequest('/strm.Entrypoint/Copy', raw, raw, message, (error, answer) =>
      error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error),
    ),
  )

type Reading = {
  readonly call: ClientReadableStream<Buffer>
  readonly messages: Buffer[]
  readonly end: Promise<{ code: number; details: string }>
}
function count(message: Buffer): Reading {
  const call = client.makeServerStreamRequest('/strm.Entrypoint/Count', raw, raw, message)
  const messages: Buffer[] = []
  call.on('data', (bytes: Buffer) => void messages.push(bytes))
  call.on('error', () => undefined)
  const end = new Promise<{ code: number; details: string }>((resolve) =>
    call.on('status', ({ code, details }) => resolve({ code, details })),
  )
  return { call, messages, end }
}
async function pidOf(node: string): Promise<number> {
  const { processes } = await kre.json<Status>('status')
  return processes.find((one) => one.node === node)?.pid ?? 0
}

describe('a streamed answer', () => {
  test('has the messages of two nodes and languages, in order', async () => {
    const reading = count(blob(Buffer.from('x'), 300))
    expect(await reading.end).toMatchObject({ code: status.OK })
    expect(reading.messages).toHaveLength(301)
    expect(reading.messages[0]?.subarray(0, 1)).toEqual(Buffer.from([0x10]))
    reading.messages
      .slice(1)
      .forEach((message, index) => expect(message).toEqual(blob(Buffer.from('x'), index + 1)))
  })

  test('goes at the pace of a caller that reads slowly, and loses nothing', async () => {
    const data = randomBytes(40_000)
    const reading = count(blob(data, 200))
    for (let pauses = 1; pauses <= 4; pauses++) {
      await waitUntil('more has come', () => reading.messages.length > pauses * 10)
      reading.call.pause()
      await sleep(50)
      reading.call.resume()
    }
    expect(await reading.end).toMatchObject({ code: status.OK })
    expect(reading.messages.at(-1)).toEqual(blob(data, 200))
    expect(reading.messages).toHaveLength(201)
  })

  test('that is cancelled stops the node, which takes the next one', async () => {
    const reading = count(blob(Buffer.from('x'), 4_000_000))
    await waitUntil('it flows', () => reading.messages.length > 50)
    reading.call.cancel()
    expect(await reading.end).toMatchObject({ code: status.CANCELLED })
    const next = count(blob(Buffer.from('y'), 1))
    expect(await next.end).toMatchObject({ code: status.OK })
  })

  test(
    'is cut with ABORTED when its node is killed, and the next one flows',
    async () => {
      const reading = count(blob(Buffer.from('x'), 4_000_000))
      await waitUntil('it flows', () => reading.messages.length > 50)
      const pid = await pidOf('counter')
      process.kill(pid, 'SIGKILL')
      const { code, details } = await reading.end
      expect(code).toBe(status.ABORTED)
      expect(details).toContain('the stream was cut after')
      await waitUntil('a new node', async () => !isAlive(pid) && (await pidOf('counter')) !== 0)
      const next = count(blob(Buffer.from('y'), 3))
      expect(await next.end).toMatchObject({ code: status.OK })
      expect(next.messages).toHaveLength(4)
    },
    MINUTE_MS,
  )
})

describe('a large payload', () => {
  test(
    'of 64 MB goes through three nodes of two languages',
    async () => {
      const data = randomBytes(64_000_000)
      const answer = await copy(blob(data, 1))
      expect(answer.equals(blob(data, 3))).toBe(true)
    },
    MINUTE_MS,
  )

  test(
    'is answered although its reader is killed on the way',
    async () => {
      const data = randomBytes(3_000_000)
      const pid = await pidOf('last')
      const answer = copy(blob(data, 99))
      // The last node sleeps for twice as long with it.
      await sleep(700)
      process.kill(pid, 'SIGKILL')
      expect((await answer).equals(blob(data, 101))).toBe(true)
    },
    MINUTE_MS,
  )

  test(
    'above the limit is refused at the door',
    async () => {
      await expect(copy(blob(Buffer.alloc(LIMIT), 1))).rejects.toMatchObject({
        code: status.INVALID_ARGUMENT,
      })
    },
    MINUTE_MS,
  )
})

test('krectl call prints each message of a stream on a line of its own', async () => {
  const request = JSON.stringify({ count: 3, data: 'eA==' })
  const { code, stdout } = await kre.run('call', '--version', 'streams', 'Count', request, '--json')
  const lines = stdout.trim().split('\n')
  expect(code).toBe(0)
  // The first node greets with a frame of its own.
  expect(lines.slice(1).map((line) => JSON.parse(line) as unknown)).toEqual(
    [1, 2, 3].map((number) => ({ data: 'eA==', count: number })),
  )
})
