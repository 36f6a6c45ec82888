import { gzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { Http2Stream, type StreamOwner } from '../http2/http2-stream.ts'
import { RequestHeaders } from '../http2/request-headers.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { createTimerWheel } from '../requests/timer-wheel.ts'
import { createByteBudget } from './byte-budget.ts'
import { encodeFrame } from './frame-reader.ts'
import { receiveUnary } from './unary-call.ts'

const PAYLOAD_BYTES_MAX = 1_000_000

function receiveGzip(bytes: number) {
  const owner: StreamOwner = {
    sendHeaders: () => undefined,
    sendEnd: () => undefined,
    sendWaiting: () => undefined,
    sendReset: () => undefined,
    creditStream: () => undefined,
    closed: () => undefined,
  }
  const headers = new RequestHeaders()
  headers.pairs.push('grpc-encoding', 'gzip')
  const stream = new Http2Stream(owner, 1, headers, { send: 65_535, receive: 65_535 })
  const budget = createByteBudget(10_000_000)
  const context = {
    limits: DEFAULT_LIMITS,
    payloadBytesMax: PAYLOAD_BYTES_MAX,
    budget,
    wheel: createTimerWheel(),
    receiving: 0,
    onRefused: () => undefined,
  }
  const messages: number[] = []
  receiveUnary(context, stream, (_call, message) => messages.push(message.length))
  stream.handler.onData(encodeFrame(gzipSync(Buffer.alloc(bytes)), true))
  stream.handler.onEnd()
  return { stream, budget, context, messages }
}

test('what is inflated is held until that has ended, though the caller has gone', async () => {
  const { stream, budget, context, messages } = receiveGzip(900_000)
  stream.close()
  expect(budget.held()).toBe(PAYLOAD_BYTES_MAX)
  await waitUntil('inflated', () => budget.held() === 0)
  expect(messages).toEqual([])
  expect(context.receiving).toBe(0)
})

test('what is inflated is held as far as it is there, until the call is over', async () => {
  const { stream, budget, messages } = receiveGzip(900_000)
  await waitUntil('inflated', () => messages.length === 1)
  expect(messages).toEqual([900_000])
  expect(budget.held()).toBeGreaterThanOrEqual(900_000)
  expect(budget.held()).toBeLessThan(910_000)
  stream.close()
  expect(budget.held()).toBe(0)
})
