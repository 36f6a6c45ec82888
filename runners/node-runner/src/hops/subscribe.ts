/** What a node listens to. */
import {
  Cancellation,
  controlSubject,
  decodeEnvelope,
  ENTRYPOINT,
  failureSubject,
  ingressSubject,
  nodeSubject,
  toKreError,
  type Envelope,
  type NodeLaunch,
} from '@kre/contracts/runtime'
import type { NodeProcess } from '../node-process.ts'
import type { CoreConnection, CoreMessage, CoreSubscription } from '@kre/core-nats'

export type MessageHandler = {
  accept(envelope: Envelope): void
  cancel(requestIds: ReadonlySet<string>): void
  /** Something arrived that can't be handled. */
  corrupt(why: string): void
}

/** @returns the subscriptions that bring work, to be drained when the node ends. */
export function subscribe(
  launch: NodeLaunch,
  { connection, nodes, local }: Pick<NodeProcess, 'connection' | 'nodes' | 'local'>,
  handlesErrors: boolean,
  handler: MessageHandler,
): CoreSubscription[] {
  const subjects = new Set<string>()
  for (const { from, channel } of launch.subscriptions) {
    if (from === ENTRYPOINT) {
      subjects.add(ingressSubject(launch))
      continue
    }
    const sender = { ...launch, node: from }
    const subject = nodeSubject(sender, channel ?? undefined)
    if (nodes.has(from)) local.listen(subject, (envelope) => handler.accept(envelope))
    else subjects.add(subject)
    if (handlesErrors) subjects.add(failureSubject(sender))
  }
  const onMessage = receiver(
    (envelope) => handler.accept(envelope),
    (why) => handler.corrupt(why),
  )
  connection.subscribe(controlSubject(launch, 'cancel'), {
    onMessage({ data }) {
      const parsed = Cancellation.safeParse(parseJson(data))
      if (parsed.success) handler.cancel(new Set(parsed.data.requestIds))
    },
  })
  return [...subjects].map((subject) =>
    connection.subscribe(subject, { queue: launch.node, onMessage }),
  )
}

/** @param corrupt something arrived that can't be handled. */
export function receiver(
  accept: (envelope: Envelope) => void,
  corrupt: (why: string) => void,
): (message: CoreMessage) => void {
  return ({ data }) => {
    try {
      accept(decodeEnvelope(data))
    } catch (error) {
      corrupt(toKreError(error).message)
    }
  }
}

/** Resolves when the broker knows the subscriptions, also when it goes away in between. */
export async function whenSubscribed(connection: CoreConnection): Promise<void> {
  const isKnown = await connection.flush().then(
    () => true,
    () => false,
  )
  // A connection that comes up has them in place already.
  if (!isKnown) await connection.whenUp()
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return null // refused by the schema
  }
}
