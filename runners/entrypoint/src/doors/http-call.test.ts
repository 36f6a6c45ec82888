import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { type ByteBudget, createByteBudget } from '../grpc/byte-budget.ts'
import type { CallContext } from '../grpc/unary-call.ts'
import { RequestHeaders } from '../http2/request-headers.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { createTimerWheel } from '../requests/timer-wheel.ts'
import type { BodyReceiver, DoorResponse } from './door-port.ts'
import { HttpCall } from './http-call.ts'
import { renderStatus } from './status-json.ts'

const BODY_BYTES_MAX = 1_000_000

type Exchange = {
  readonly call: HttpCall
  readonly response: DoorResponse
  readonly budget: ByteBudget
  readonly context: CallContext
  readonly body: () => BodyReceiver
}

/** A call whose peer takes nothing of what is written. */
function openExchange(pairs: readonly string[] = []): Exchange {
  const headers = new RequestHeaders()
  headers.pairs.push(...pairs)
  const budget = createByteBudget(10_000_000)
  const context: CallContext = {
    limits: DEFAULT_LIMITS,
    payloadBytesMax: BODY_BYTES_MAX,
    budget,
    wheel: createTimerWheel(),
    receiving: 0,
    onRefused: () => undefined,
  }
  let isClosed = false
  let receiver: BodyReceiver | null = null
  const response: DoorResponse = {
    get isClosed() {
      return isClosed
    },
    onClose() {},
    onDrain() {},
    head: () => undefined,
    write: () => false,
    end: () => undefined,
    destroy() {
      isClosed = true
      response.onClose()
    },
  }
  const request = { headers, receive: (to: BodyReceiver) => void (receiver = to) }
  const call = new HttpCall({ request, response }, context, renderStatus, [])
  const body = () => {
    if (receiver === null) throw new Error('the call does not receive')
    return receiver
  }
  return { call, response, budget, context, body }
}

describe('bytes of a call', () => {
  test('are given back as they leave, and at the close once', () => {
    const { call, response, budget } = openExchange()
    call.begin(200, [])
    call.write(Buffer.alloc(1_000))
    call.write(Buffer.alloc(500))
    expect(budget.held()).toBe(1_500)
    response.onDrain()
    expect(budget.held()).toBe(0)
    call.write(Buffer.alloc(300))
    response.destroy()
    expect(budget.held()).toBe(0)
    // Some sockets report after their end.
    response.onDrain()
    call.write(Buffer.alloc(300))
    expect(budget.held()).toBe(0)
  })

  test('that are inflated are held until that has ended, though the caller has gone', async () => {
    const { call, response, budget, context, body } = openExchange(['content-encoding', 'gzip'])
    let taken = 0
    call.receive(BODY_BYTES_MAX, () => taken++)
    body().onData(gzipSync(Buffer.alloc(900_000)))
    body().onEnd()
    response.destroy()
    expect(budget.held()).toBe(BODY_BYTES_MAX)
    await waitUntil('inflated', () => budget.held() === 0)
    expect(taken).toBe(0)
    expect(context.receiving).toBe(0)
  })

  test('that are inflated are held as far as they are there', async () => {
    const { call, response, budget, body } = openExchange(['content-encoding', 'deflate'])
    let inflated = 0
    call.receive(BODY_BYTES_MAX, ({ length }) => void (inflated = length))
    body().onData(gzipSync(Buffer.alloc(900_000)))
    body().onEnd()
    await waitUntil('inflated', () => inflated === 900_000)
    expect(budget.held()).toBeGreaterThanOrEqual(900_000)
    expect(budget.held()).toBeLessThan(910_000)
    response.destroy()
    expect(budget.held()).toBe(0)
  })
})
