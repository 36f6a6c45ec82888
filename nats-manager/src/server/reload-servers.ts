/** Has servers read their configuration again: they notice newer certificates in no other way. */
import type { NatsConnection } from '@nats-io/transport-node'
import { MINUTE_MS, SECOND_MS } from '@kre/contracts'
import { z } from 'zod'

/** Servers of a cluster answer within so long of each other. */
const STALL_MS = SECOND_MS
const ANSWER_TIMEOUT_MS = 10 * SECOND_MS
/** Between looks at the engine's own files. */
const LOOK_MS = MINUTE_MS
/** Processes know the next authorities within two minutes, and servers have their own files by then. */
const SETTLE_MS = 3 * MINUTE_MS

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

/**
 * @param authorities as `reloadPace` has it.
 * @returns the end of it.
 */
export function startReloading(
  system: NatsConnection,
  { everyMs, onProblem }: Reloading,
  authorities: () => string,
): () => void {
  const lookMs = Math.min(everyMs, LOOK_MS)
  // A timer may be early by a part of a millisecond.
  const isDue = reloadPace(everyMs - lookMs / 2, authorities)
  const timer = setInterval(() => {
    if (isDue()) reloadServers(system).catch(onProblem)
  }, lookMs)
  timer.unref()
  return () => clearInterval(timer)
}

/**
 * Whether it is time again, for who asks every minute. When authorities change, servers go on showing what everybody
 * trusts until everybody knows the next ones, and are then told several times: an engine that starts knows no others.
 *
 * @param authorities another text when they are others.
 */
export function reloadPace(
  everyMs: number,
  authorities: () => string,
  now: () => number = () => performance.now(),
): () => boolean {
  let known = authorities()
  let reloadedAt = now()
  let changedAt = -Infinity
  const settleMs = Math.min(everyMs, SETTLE_MS)
  return () => {
    const before = known
    known = authorities()
    if (known !== before) changedAt = now()
    const sinceMs = now() - changedAt
    if (sinceMs < settleMs) return false
    if (sinceMs > 2 * settleMs && now() - reloadedAt < everyMs) return false
    reloadedAt = now()
    return true
  }
}
