import { expect, test } from '@jest/globals'
import { decodeEnvelope } from '@kre/contracts'
import { createByteBudget } from '../grpc/byte-budget.ts'
import type { Failure } from '../grpc/failure.ts'
import { RequestHeaders } from '../http2/request-headers.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { demoInterface, GREET } from '../testing/demo-version.ts'
import { createServedVersion, isRouted } from '../versions/served-version.ts'
import { createRequestBroker } from './request-broker.ts'
import { createTimerWheel } from './timer-wheel.ts'

test('fails a request that NATS does not take, at once, and sends the next one', () => {
  const version = createServedVersion(demoInterface('v1'))
  for (const workflow of version.workflows.values()) workflow.missing = []
  const method = version.methods.get(GREET)
  if (method === undefined || !isRouted(method)) throw new Error('the demo has no such method')
  const wheel = createTimerWheel()
  const sent: string[] = []
  let takes = false
  const broker = createRequestBroker({
    limits: DEFAULT_LIMITS,
    requestTimeoutMs: 1_000,
    payloadBytesMax: 1_000,
    link: {
      isUp: () => true,
      inboxPrefix: '_INBOX',
      payloadBytesMax: () => 1_000_000,
      publish(_, data) {
        if (takes && data instanceof Uint8Array) sent.push(decodeEnvelope(data).requestId)
        return takes
      },
      subscribe: () => () => undefined,
      connect: async () => null,
      close: async () => undefined,
    },
    wheel,
    budget: createByteBudget(1_000_000),
    payloads: {
      isPlain: () => true,
      pack: async () => Promise.reject(new Error('nothing is large here')),
      read: async ({ value }) => value,
      release: () => undefined,
    },
    replyPrefix: '_R.',
    cancel: () => undefined,
    wake: () => undefined,
    traced: (metadata) => metadata,
    onRefused: () => undefined,
    onEnd: () => undefined,
  })
  const failures: Failure[] = []
  const submit = () => {
    const caller = {
      onGone: null,
      answer: () => undefined,
      fail: (failure: Failure) => failures.push(failure),
    }
    broker.submit(caller, new RequestHeaders(), method, Buffer.from('x'))
  }
  submit()
  expect(failures).toMatchObject([{ status: 14 }])
  expect(broker.inFlight()).toBe(0)
  takes = true
  submit()
  expect(sent).toHaveLength(1)
  expect(broker.inFlight()).toBe(1)
  expect(failures).toHaveLength(1)
  wheel.stop()
})
