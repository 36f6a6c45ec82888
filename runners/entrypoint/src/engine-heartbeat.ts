import { ENGINE_HEARTBEAT_SUBJECT } from '@kre/contracts/runtime'
import type { NatsLink } from './nats-link.ts'

/**
 * Calls back once when the engine's heartbeat was absent for `absenceMs`; being without NATS counts as absence.
 * Only time in which this process ran counts: a suspended computer wakes up with its workloads.
 */
export function watchEngine(link: NatsLink, absenceMs: number, onAbsent: () => void): () => void {
  const intervalMs = Math.min(1_000, Math.max(10, absenceMs / 10))
  let absentMs = 0
  let checkedAt = performance.now()
  const unsubscribe = link.subscribe(ENGINE_HEARTBEAT_SUBJECT, () => {
    absentMs = 0
  })
  const check = setInterval(() => {
    const now = performance.now()
    absentMs += Math.min(now - checkedAt, 2 * intervalMs)
    checkedAt = now
    if (absentMs < absenceMs) return
    clearInterval(check)
    onAbsent()
  }, intervalMs)
  return () => {
    clearInterval(check)
    unsubscribe()
  }
}
