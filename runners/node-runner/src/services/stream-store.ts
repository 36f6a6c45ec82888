/**
 * One JetStream stream as a store of messages by subject: what key-value and object buckets are made of. It asks for
 * nothing but what its own stream needs, and makes no consumers: who may make them may have them deliver to any subject
 * of the account that has the stream.
 */
import { KreError, SECOND_MS } from '@kre/contracts/runtime'
import { type Inbox, parseAnswer } from '@kre/core-nats'

const ANSWER_TIMEOUT_MS = 10 * SECOND_MS
/** JetStream's number for a subject without a message. */
const NO_MESSAGE = 10_037

export type StoredMessage = {
  readonly data: Uint8Array
  /** As they travel. */
  readonly headers: string
  /** Place in the stream. */
  readonly sequence: number
}

export type StreamStore = {
  /** Resolves when the stream has it. @throws KreError `unavailable` with the server's reason. */
  put(
    subject: string,
    data: string | Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ): Promise<void>
  /** The last message of a subject, or the first one from `fromSequence` on; null = there is none. Throws as `put`. */
  get(subject: string, fromSequence?: number): Promise<StoredMessage | null>
  /** Subjects that have messages. Throws as `put`. */
  subjects(filter: string): Promise<string[]>
  /** Removes all messages of a subject. Throws as `put`. */
  purge(subject: string): Promise<void>
}

type Refusal = { readonly err_code?: number; readonly description?: string }

export function createStreamStore(stream: string, inbox: Inbox): StreamStore {
  const ask = async (
    subject: string,
    data: string | Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ error?: Refusal } & Record<string, unknown>> => {
    const answer = await inbox.request(subject, data, ANSWER_TIMEOUT_MS, headers)
    return parseAnswer(answer) as { error?: Refusal } & Record<string, unknown>
  }
  const refuse = ({ description = 'no reason given' }: Refusal): never => {
    throw new KreError('unavailable', `the stream ${stream} refuses: ${description}`, { stream })
  }
  const api = async (verb: string, request: object) => {
    const answer = await ask(`$JS.API.STREAM.${verb}.${stream}`, JSON.stringify(request))
    if (answer.error !== undefined && answer.error.err_code !== NO_MESSAGE) refuse(answer.error)
    return answer
  }

  return {
    async put(subject, data, headers) {
      const { error } = await ask(subject, data, headers)
      if (error !== undefined) refuse(error)
    },
    async get(subject, fromSequence) {
      const request =
        fromSequence === undefined
          ? { last_by_subj: subject }
          : { seq: fromSequence, next_by_subj: subject }
      const { message } = (await api('MSG.GET', request)) as {
        message?: { seq: number; data?: string; hdrs?: string }
      }
      if (message === undefined) return null
      return {
        data: Buffer.from(message.data ?? '', 'base64'),
        headers: Buffer.from(message.hdrs ?? '', 'base64').toString('latin1'),
        sequence: message.seq,
      }
    },
    async subjects(filter) {
      const found: string[] = []
      for (;;) {
        const page = { subjects_filter: filter, offset: found.length }
        const { state, total } = (await api('INFO', page)) as {
          state?: { subjects?: Record<string, number> }
          total?: number
        }
        const names = Object.keys(state?.subjects ?? {})
        found.push(...names)
        if (names.length === 0 || found.length >= (total ?? 0)) return found
      }
    },
    async purge(subject) {
      await api('PURGE', { filter: subject })
    },
  }
}
