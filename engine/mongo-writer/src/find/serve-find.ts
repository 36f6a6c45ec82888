import type { NatsConnection } from '@nats-io/transport-node'
import { dataSubject, WRITER_CONSUMER } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { OutputStore } from '@kre/store'
import { isReplySubject } from '../stream/reply-subject.ts'
import { answerFind, refuse } from './answer-find.ts'

/** Requests of one runtime in work at once; more are refused, so that a flood holds no memory. */
const IN_FLIGHT_MAX = 64

/** Answers a runtime's requests for documents; several writers share them. Returns the end of it. */
export function serveFind(
  deps: { nats: NatsConnection; outputs: Pick<OutputStore, 'findDocuments'>; logger: Logger },
  runtimeId: string,
): () => void {
  let inFlight = 0
  const answer = async (reply: string, data: Uint8Array): Promise<void> => {
    const { json, failure } =
      inFlight > IN_FLIGHT_MAX
        ? refuse(`more than ${IN_FLIGHT_MAX} searches are under way: try again later`)
        : await answerFind(deps.outputs, runtimeId, data)
    if (failure !== null) deps.logger.warn({ runtimeId, err: failure }, 'search failed')
    if (!deps.nats.isClosed()) deps.nats.publish(reply, json)
  }
  const subscription = deps.nats.subscribe(dataSubject(runtimeId, 'find'), {
    queue: WRITER_CONSUMER,
    callback(error, msg) {
      if (error !== null) {
        deps.logger.error({ runtimeId, err: error }, 'searches are not received')
        return
      }
      if (msg.reply === undefined || !isReplySubject(msg.reply)) return
      inFlight += 1
      answer(msg.reply, msg.data)
        .catch((cause: unknown) =>
          deps.logger.warn({ runtimeId, err: cause }, 'search not answered'),
        )
        .finally(() => {
          inFlight -= 1
        })
    },
  })
  return () => subscription.unsubscribe()
}
