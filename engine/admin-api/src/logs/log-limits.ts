import { DAY_MS, GiB, KreError, MiB } from '@kre/contracts'
import type { LogLimits, LogUsage } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireRuntime } from '../versions/version-state.ts'

/** Longest and largest that a runtime may ask for. */
const AGE_DAYS_MAX = 365
const BYTES_MIN = MiB
const BYTES_MAX = 1_024 * GiB

type LogLimitsDeps = Pick<FeatureDeps, 'runtimes' | 'logRetention'>
type OfRuntime = { principal: Principal; runtimeId: string }

/** A runtime's own limits of its logs, and what they take now. @throws KreError `not-found`. */
export async function readLogLimits(
  deps: LogLimitsDeps,
  { principal, runtimeId }: OfRuntime,
): Promise<LogLimits & { usage: LogUsage }> {
  authorize(principal, 'view logs', runtimeId)
  await requireRuntime(deps, runtimeId)
  const [limits, usage] = await Promise.all([
    deps.logRetention.limits(runtimeId),
    deps.logRetention.usage(runtimeId),
  ])
  return { ...limits, usage }
}

/**
 * Sets a runtime's own limits; null = none. They count where they are narrower than the engine's, within a minute.
 *
 * @throws KreError `not-found`, `invalid-argument`.
 */
export async function updateLogLimits(
  deps: LogLimitsDeps,
  command: OfRuntime & { days?: number | null; bytesMax?: number | null },
): Promise<LogLimits & { usage: LogUsage }> {
  const { principal, runtimeId, days = null, bytesMax = null } = command
  authorize(principal, 'edit log limits', runtimeId)
  if (days !== null && (!Number.isInteger(days) || days < 1 || days > AGE_DAYS_MAX))
    throw new KreError('invalid-argument', `days is a whole number from 1 to ${AGE_DAYS_MAX}`, {
      field: 'days',
    })
  if (bytesMax !== null && !(bytesMax >= BYTES_MIN && bytesMax <= BYTES_MAX))
    throw new KreError('invalid-argument', `bytesMax is from ${BYTES_MIN} to ${BYTES_MAX}`, {
      field: 'bytesMax',
    })
  await requireRuntime(deps, runtimeId)
  await deps.logRetention.setLimits(runtimeId, {
    ageMs: days === null ? null : days * DAY_MS,
    bytesMax: bytesMax === null ? null : Math.floor(bytesMax),
  })
  return readLogLimits(deps, { principal, runtimeId })
}
