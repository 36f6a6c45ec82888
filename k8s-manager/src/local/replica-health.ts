/** When a living process has to go. Pure; time is counted in ticks, so a stalled engine or a sleeping computer accuses nobody. */
import { HEALTHY_AFTER_MS } from './backoff.ts'
import type { KillCause } from './ending-reason.ts'
import type { LocalSettings } from './settings.ts'

export type ReplicaHealth = {
  readonly startingMs: number
  readonly readyMs: number
  readonly silentMs: number
}
export const NEW_HEALTH: ReplicaHealth = { startingMs: 0, readyMs: 0, silentMs: 0 }

export type HealthLimits = Pick<LocalSettings, 'tickMs' | 'readyTimeoutMs' | 'silenceMs'>

/**
 * @param facts.isAudible whether announcements can arrive at all; otherwise silence means nothing.
 * @param facts.usedBytes null = can't be measured.
 * @returns the health after one more tick, and why the process must be killed now, if it must.
 */
export function judgeHealth(
  before: ReplicaHealth,
  facts: { isReady: boolean; isAudible: boolean; usedBytes: number | null; limitBytes: number },
  limits: HealthLimits,
): { health: ReplicaHealth; killFor: KillCause | null; isProven: boolean } {
  const health = age(before, facts, limits.tickMs)
  return {
    health,
    killFor: findCause(health, facts, limits),
    isProven: health.readyMs >= HEALTHY_AFTER_MS,
  }
}

function age(
  { startingMs, readyMs, silentMs }: ReplicaHealth,
  { isReady, isAudible }: { isReady: boolean; isAudible: boolean },
  tickMs: number,
): ReplicaHealth {
  if (!isAudible) return { startingMs, readyMs, silentMs: 0 }
  return isReady
    ? { startingMs, readyMs: readyMs + tickMs, silentMs: silentMs + tickMs }
    : { startingMs: startingMs + tickMs, readyMs, silentMs: 0 }
}

function findCause(
  health: ReplicaHealth,
  facts: { usedBytes: number | null; limitBytes: number },
  limits: HealthLimits,
): KillCause | null {
  const { usedBytes, limitBytes } = facts
  if (usedBytes !== null && usedBytes > limitBytes) return { kind: 'memory', usedBytes, limitBytes }
  if (health.silentMs > limits.silenceMs) return { kind: 'silent', afterMs: limits.silenceMs }
  if (health.startingMs > limits.readyTimeoutMs && health.readyMs === 0)
    return { kind: 'never-ready', afterMs: limits.readyTimeoutMs }
  return null
}
