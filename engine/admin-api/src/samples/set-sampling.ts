import { DAY_MS, KreError, MINUTE_MS } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import {
  readRuntimeState,
  requireVersion,
  versionState,
  type VersionState,
} from '../versions/version-state.ts'

/** Who looks for something needs minutes; who forgets to end it keeps no more than a day of it. */
const MINUTES_MAX = DAY_MS / MINUTE_MS

type SetSamplingDeps = Pick<
  FeatureDeps,
  'runtimes' | 'versions' | 'releases' | 'placements' | 'samples' | 'now'
>

/**
 * Keeps samples of a version's messages for so many minutes from now on, or ends that with 0. Nodes hear of it within
 * five seconds, and forget it by themselves within sixteen.
 *
 * @throws KreError `not-found`, `invalid-argument`.
 */
export async function setSampling(
  deps: SetSamplingDeps,
  command: { principal: Principal; runtimeId: string; versionName: string; minutes: number },
): Promise<VersionState> {
  const { principal, runtimeId, versionName, minutes } = command
  authorize(principal, 'view messages', runtimeId)
  if (!Number.isInteger(minutes) || minutes < 0 || minutes > MINUTES_MAX)
    throw new KreError(
      'invalid-argument',
      `minutes is a whole number from 0, which ends it, to ${MINUTES_MAX}`,
      { field: 'minutes' },
    )
  const version = await requireVersion(deps, runtimeId, versionName)
  const until = minutes === 0 ? null : new Date(deps.now().getTime() + minutes * MINUTE_MS)
  await deps.samples.setSampling(runtimeId, versionName, until)
  return versionState(version, await readRuntimeState(deps, runtimeId))
}

/** Until when samples of a version are kept; null = none are. */
export async function samplingUntil(
  deps: Pick<FeatureDeps, 'samples' | 'now'>,
  query: { principal: Principal; runtimeId: string; versionName: string },
): Promise<Date | null> {
  authorize(query.principal, 'view traffic', query.runtimeId)
  return deps.samples.samplingUntil(query.runtimeId, query.versionName, deps.now())
}
