/** Has servers read their configuration again: they notice newer certificates in no other way. */
import type { NatsConnection } from '@nats-io/transport-node'
import { SECOND_MS } from '@kre/contracts'
import { z } from 'zod'

/** Servers of a cluster answer within so long of each other. */
const STALL_MS = SECOND_MS
const ANSWER_TIMEOUT_MS = 10 * SECOND_MS

const Pong = z.object({ server: z.object({ id: z.string() }) })
const Answer = z.object({ error: z.object({ description: z.string() }).optional() })

/**
 * Connections go on; those that are made from now on see the newer certificate.
 *
 * @param system a connection of the system account.
 * @returns how many servers have done it.
 * @throws Error with what a server says that could not.
 */
export async function reloadServers(system: NatsConnection): Promise<number> {
  const ids = new Set<string>()
  const pongs = await system.requestMany('$SYS.REQ.SERVER.PING', '', {
    strategy: 'stall',
    stall: STALL_MS,
    maxWait: ANSWER_TIMEOUT_MS,
  })
  for await (const pong of pongs) ids.add(Pong.parse(pong.json()).server.id)
  for (const id of ids) {
    const answer = await system.request(`$SYS.REQ.SERVER.${id}.RELOAD`, '', {
      timeout: ANSWER_TIMEOUT_MS,
    })
    const { error } = Answer.parse(answer.json())
    if (error !== undefined) throw new Error(`server ${id}: ${error.description}`)
  }
  return ids.size
}

export type Reloading = {
  readonly everyMs: number
  /** It is tried again all the same. */
  readonly onProblem: (error: unknown) => void
}

/** @returns the end of it. */
export function startReloading(
  system: NatsConnection,
  { everyMs, onProblem }: Reloading,
): () => void {
  const timer = setInterval(() => {
    reloadServers(system).catch(onProblem)
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
