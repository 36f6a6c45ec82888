/** The clock of nats-server: it alone says when credentials are over, and may differ from that of this computer. */
import type { NatsConnection } from '@nats-io/transport-node'
import { SECOND_MS } from '@kre/contracts'
import { z } from 'zod'

/** So long an answer is good, as the server's clock may be set. Between answers time is counted by a clock that nobody sets. */
const GOOD_MS = 10 * SECOND_MS
const ANSWER_TIMEOUT_MS = 5 * SECOND_MS

const Answer = z.object({ server: z.object({ time: z.coerce.date() }) })

/**
 * @param system a connection of the system account.
 * @returns what the server's clock shows, in Unix ms; what this computer's does where the server gives no answer.
 */
export function createServerClock(system: NatsConnection): () => Promise<number> {
  let asked: { readonly atMs: number; readonly unixMs: Promise<number | null> } | null = null

  async function ask(): Promise<number | null> {
    try {
      const answer = await system.request('$SYS.REQ.SERVER.PING', '', {
        timeout: ANSWER_TIMEOUT_MS,
      })
      return Answer.parse(answer.json()).server.time.getTime()
    } catch {
      return null
    }
  }

  return async () => {
    const now = performance.now()
    if (asked === null || now - asked.atMs >= GOOD_MS) asked = { atMs: now, unixMs: ask() }
    const { atMs, unixMs } = asked
    const answered = await unixMs
    if (answered !== null) return answered + (performance.now() - atMs)
    if (asked?.atMs === atMs) asked = null
    return Date.now()
  }
}
