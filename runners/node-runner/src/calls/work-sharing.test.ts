import { describe, expect, test } from '@jest/globals'
import { emptyEnvelope } from '@kre/contracts'
import { createCounters } from '../counters.ts'
import { NodeCall, type CallOwner } from './node-call.ts'
import { createWaitingCalls } from './waiting-calls.ts'
import { createWorkSharing } from './work-sharing.ts'

const OWNER: CallOwner = {
  send: () => undefined,
  write: () => undefined,
  log: () => undefined,
  service: async () => ({ result: null, data: new Uint8Array(0) }),
}
const LAUNCH = { nodeName: 'one' }

/** A busy replica that knows of one with free slots, and looks again after each return, as a dispatcher does. */
function openBusyReplica() {
  const counters = createCounters()
  const waiting = createWaitingCalls(LAUNCH, counters, () => undefined)
  const tried: NodeCall[] = []
  let returns = 0
  const sharing = createWorkSharing({
    siblings: {
      mayBeFree: true,
      handOver: async ({ requestId }) => {
        tried.push(...[...sharing.underWay].filter((call) => call.requestId === requestId))
        return true
      },
      offer: () => undefined,
      close: async () => undefined,
    },
    waiting,
    counters,
    isBusy: () => true,
    onReturned() {
      returns++
      sharing.changed(0)
    },
  })
  const arrive = (isHandedOver: boolean) => {
    const call = new NodeCall(OWNER, emptyEnvelope(), 1, Infinity)
    call.isHandedOver = isHandedOver
    waiting.push(call, performance.now())
    return call
  }
  return { sharing, waiting, arrive, tried, counters, returns: () => returns }
}

describe('a busy replica', () => {
  test('gives what waits to others', async () => {
    const replica = openBusyReplica()
    replica.arrive(false)
    replica.arrive(false)
    replica.sharing.changed(0)
    await new Promise(setImmediate)
    expect(replica.waiting.length).toBe(0)
    expect(replica.counters.handedOver).toBe(2)
  })

  test('leaves a message in peace that was handed over to it', () => {
    const replica = openBusyReplica()
    replica.arrive(true)
    replica.sharing.changed(0)
    expect(replica.returns()).toBe(0)
    expect(replica.waiting.length).toBe(1)
  })
})
