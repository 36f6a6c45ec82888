/** What a node listens to. */
import { gunzipSync } from 'node:zlib'
import {
  Cancellation,
  controlSubject,
  decodeEnvelope,
  ENCODING,
  ENTRYPOINT,
  failureSubject,
  ingressSubject,
  KreError,
  MiB,
  nodeSubject,
  toKreError,
  type Envelope,
  type NodeLaunch,
} from '@kre/contracts/runtime'
import type { CoreConnection, CoreMessage, CoreSubscription } from '@kre/core-nats'

/** Decompressed payloads are bounded, or a small message could fill the memory. */
const DECOMPRESSED_BYTES_MAX = 64 * MiB

export type MessageHandler = {
  accept(envelope: Envelope): void
  cancel(requestIds: ReadonlySet<string>): void
  /** Something arrived that can't be handled. */
  corrupt(why: string): void
}

/** @returns the subscriptions that bring work, to be drained when the node ends. */
export function subscribe(
  launch: NodeLaunch,
  connection: CoreConnection,
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
    subjects.add(nodeSubject(sender, channel ?? undefined))
    if (handlesErrors) subjects.add(failureSubject(sender))
  }
  const onMessage = ({ data }: CoreMessage) => {
    try {
      handler.accept(readEnvelope(data))
    } catch (error) {
      handler.corrupt(toKreError(error).message)
    }
  }
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

/** Resolves when the broker knows the subscriptions, also when it goes away in between. */
export async function whenSubscribed(connection: CoreConnection): Promise<void> {
  const isKnown = await connection.flush().then(
    () => true,
    () => false,
  )
  // A connection that comes up has them in place already.
  if (!isKnown) await connection.whenUp()
}

/** @throws KreError `invalid-argument` for what is no envelope. */
function readEnvelope(message: Uint8Array): Envelope {
  const envelope = decodeEnvelope(message)
  if (envelope.claim !== null) {
    throw new KreError(
      'unimplemented',
      'its payload is in an object bucket, which this runner does not read',
    )
  }
  if (envelope.encoding === ENCODING.gzip) {
    envelope.value = gunzipSync(envelope.value, { maxOutputLength: DECOMPRESSED_BYTES_MAX })
    envelope.encoding = ENCODING.none
  }
  return envelope
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return null // refused by the schema
  }
}
