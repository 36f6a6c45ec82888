/** A chain over core NATS with the stock client: a front that asks, and nodes that pass bytes on. The least that a graph over NATS costs. */
import { connect } from '@nats-io/transport-node'
import { listen, type Respond } from './echo.ts'

const REPLIES = 'floor.reply'
const HOP = (index: number) => `floor.hop.${index}`

/** @returns the port of its gRPC door. */
export async function runFront(servers: string): Promise<number> {
  const nats = await connect({ servers, noAsyncTraces: true })
  const waiting = new Map<string, Respond>()
  let last = 0
  nats.subscribe(`${REPLIES}.*`, {
    callback(_error, message) {
      const token = message.subject.slice(REPLIES.length + 1)
      waiting.get(token)?.(Buffer.from(message.data))
      waiting.delete(token)
    },
  })
  return listen((body, respond) => {
    const token = String(++last)
    waiting.set(token, respond)
    nats.publish(HOP(0), body, { reply: `${REPLIES}.${token}` })
  })
}

/** @param index counted from 0. */
export async function runNode(servers: string, index: number, isLast: boolean): Promise<void> {
  const nats = await connect({ servers, noAsyncTraces: true })
  const next = HOP(index + 1)
  nats.subscribe(HOP(index), {
    queue: 'nodes',
    callback(_error, { data, reply = '' }) {
      if (isLast) nats.publish(reply, data)
      else nats.publish(next, data, { reply })
    },
  })
  await nats.flush()
}
