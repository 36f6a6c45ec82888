/** When a living process has to go. Pure; time is counted in ticks, so a stalled engine or a sleeping computer accuses nobody. */
import type { StartStage } from '@kre/contracts'
import { HEALTHY_AFTER_MS } from './backoff.ts'
import type { KillCause } from './ending-reason.ts'
import type { LocalSettings } from './settings.ts'

export type ReplicaHealth = {
  readonly startingMs: number
  readonly readyMs: number
  readonly silentMs: number
  /** How long its beat has been the same, while it starts. */
  readonly frozenMs: number
  readonly beat: number | null
}
export const NEW_HEALTH: ReplicaHealth = {
  startingMs: 0,
  readyMs: 0,
  silentMs: 0,
  frozenMs: 0,
  beat: null,
}

export type HealthFacts = {
  readonly isReady: boolean
  /** Whether announcements can arrive at all; otherwise silence means nothing. */
  readonly isAudible: boolean
  /** Null = can't be measured. */
  readonly usedBytes: number | null
  readonly limitBytes: number
  /** Of the start's stage; null = it has none. */
  readonly stage: StartStage | null
}
export type HealthLimits = Pick<
  LocalSettings,
  'tickMs' | 'startTimeoutMs' | 'readyTimeoutMs' | 'silenceMs'
>

/** @returns the health after one more tick, and why the process must be killed now, if it must. */
export function judgeHealth(
  before: ReplicaHealth,
  facts: HealthFacts,
  limits: HealthLimits,
): {
  health: ReplicaHealth
  killFor: KillCause | null
  isProven: boolean
  /** Its start takes too long. */
  isOverdue: boolean
} {
  const health = age(before, facts, limits.tickMs)
  return {
    health,
    killFor: findCause(health, facts, limits),
    isProven: health.readyMs >= HEALTHY_AFTER_MS,
    isOverdue: !facts.isReady && health.readyMs === 0 && health.startingMs > limits.startTimeoutMs,
  }
}

function age(before: ReplicaHealth, facts: HealthFacts, tickMs: number): ReplicaHealth {
  const { startingMs, readyMs, silentMs } = before
  if (!facts.isAudible) return { ...before, silentMs: 0, frozenMs: 0 }
  if (facts.isReady)
    return {
      ...before,
      readyMs: readyMs + tickMs,
      silentMs: silentMs + tickMs,
      frozenMs: 0,
      beat: null,
    }
  const beat = facts.stage?.beat ?? null
  const isFrozen = beat !== null && beat === before.beat
  return {
    startingMs: startingMs + tickMs,
    readyMs,
    silentMs: 0,
    frozenMs: isFrozen ? before.frozenMs + tickMs : 0,
    beat,
  }
}

function findCause(
  health: ReplicaHealth,
  facts: HealthFacts,
  limits: HealthLimits,
): KillCause | null {
  const { usedBytes, limitBytes, stage } = facts
  if (usedBytes !== null && usedBytes > limitBytes) return { kind: 'memory', usedBytes, limitBytes }
  if (health.silentMs > limits.silenceMs) return { kind: 'silent', afterMs: limits.silenceMs }
  if (health.readyMs > 0) return null
  if (stage !== null && health.frozenMs > limits.startTimeoutMs)
    return { kind: 'frozen', afterMs: limits.startTimeoutMs, stage }
  const readyTimeoutMs = Math.max(limits.readyTimeoutMs, limits.startTimeoutMs)
  if (health.startingMs > readyTimeoutMs)
    return { kind: 'never-ready', afterMs: readyTimeoutMs, stage }
  return null
}
