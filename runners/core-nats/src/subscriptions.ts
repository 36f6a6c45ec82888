/** Who wants which messages, under the numbers that the server knows them by. */
import { KreError, toKreError } from '@kre/contracts/runtime'
import type { CoreMessage } from './parser.ts'
import { checkSubject } from './subject.ts'

/**
 * A message that the server was handing over while the subscription ended may come behind the answer to the ping. It
 * belongs to a queue, so nobody else gets it.
 */
const LATE_MS = 200

export type CoreSubscription = {
  /** Nothing is handed over any more. */
  unsubscribe(): void
  /** Takes nothing new; resolves when what was under way has been handed over, or is lost. */
  drain(): Promise<void>
}

export type Subscriptions = {
  /** @throws KreError `invalid-argument`. */
  add(subject: string, queue: string, onMessage: (message: CoreMessage) => void): CoreSubscription
  /** The lines that tell a server of all of them. */
  lines(): string
  /** The lines that end them all at a server that is about to be left. */
  endLines(): string
  has(sid: number): boolean
  deliver(sid: number, message: CoreMessage): void
  drain(): Promise<void>
  /** Nothing is under way any more to those that are being drained. */
  disconnected(): void
  clear(): void
}

type Entry = {
  readonly sid: number
  readonly subject: string
  readonly line: string
  readonly onMessage: (message: CoreMessage) => void
  isDraining: boolean
}

export function createSubscriptions(deps: {
  /** Sends lines, if there is a server that knows of the subscriptions. */
  lines: (text: string) => void
  roundTrip: () => Promise<void>
  /** A receiver threw. */
  onThrown: (error: KreError) => void
}): Subscriptions {
  const entries = new Map<number, Entry>()
  let lastSid = 0

  const remove = (entry: Entry) => {
    if (entries.delete(entry.sid) && !entry.isDraining) deps.lines(`UNSUB ${entry.sid}\r\n`)
  }
  const drain = async (some: Iterable<Entry>): Promise<void> => {
    const drained = [...some].filter((entry) => entries.has(entry.sid) && !entry.isDraining)
    for (const entry of drained) {
      entry.isDraining = true
      deps.lines(`UNSUB ${entry.sid}\r\n`)
    }
    // The server answers after all that it has sent for them. Without a server nothing is under way.
    const hasAnswered = await deps.roundTrip().then(
      () => true,
      () => false,
    )
    if (hasAnswered) await new Promise((resolve) => setTimeout(resolve, LATE_MS))
    for (const entry of drained) entries.delete(entry.sid)
  }

  return {
    add(subject, queue, onMessage) {
      checkSubject(subject, 'subject')
      if (queue !== '') checkSubject(queue, "queue's name")
      const sid = ++lastSid
      const line = `SUB ${subject} ${queue === '' ? '' : `${queue} `}${sid}\r\n`
      const entry: Entry = { sid, subject, line, onMessage, isDraining: false }
      entries.set(sid, entry)
      deps.lines(line)
      return { unsubscribe: () => remove(entry), drain: () => drain([entry]) }
    },
    lines: () =>
      [...entries.values()]
        .filter((entry) => !entry.isDraining)
        .map((entry) => entry.line)
        .join(''),
    endLines: () => [...entries.keys()].map((sid) => `UNSUB ${sid}\r\n`).join(''),
    has: (sid) => entries.has(sid),
    deliver(sid, message) {
      const entry = entries.get(sid)
      if (entry === undefined) return
      try {
        entry.onMessage(message)
      } catch (error) {
        const { subject } = entry
        const text = `the receiver of messages on ${subject} failed: ${toKreError(error).message}`
        deps.onThrown(new KreError('internal', text, { subject }, { cause: error }))
      }
    },
    drain: () => drain(entries.values()),
    disconnected() {
      for (const entry of entries.values()) if (entry.isDraining) entries.delete(entry.sid)
    },
    clear: () => entries.clear(),
  }
}
