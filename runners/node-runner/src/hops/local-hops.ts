import type { Envelope } from '@kre/contracts/runtime'

type Receiver = (envelope: Envelope) => void

/** Messages between nodes of one process, which never leave it. */
export type LocalHops = {
  /** @param subject of the sender's output. */
  listen(subject: string, receive: Receiver): void
  /** Hands the message to every listener in the next turn of the event loop; false when there is none. */
  deliver(subject: string, envelope: Envelope): boolean
}

export function createLocalHops(): LocalHops {
  const receivers = new Map<string, readonly Receiver[]>()
  let waiting: { receive: Receiver; envelope: Envelope }[] = []
  const deliverWaiting = () => {
    const messages = waiting
    waiting = []
    for (const { receive, envelope } of messages) receive(envelope)
  }
  return {
    listen(subject, receive) {
      receivers.set(subject, [...(receivers.get(subject) ?? []), receive])
    },
    deliver(subject, envelope) {
      const listening = receivers.get(subject)
      if (listening === undefined) return false
      // In the next turn: the handler that sends has mostly returned by then, and is not to blame for the next one's end.
      if (waiting.length === 0) setImmediate(deliverWaiting)
      for (const receive of listening) waiting.push({ receive, envelope })
      return true
    },
  }
}
