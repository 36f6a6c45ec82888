import { KreError } from '@kre/contracts'
import type { Release, ReleaseCause, RunningVersion } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import {
  readRuntimeState,
  requireVersion,
  versionState,
  type VersionState,
} from '../versions/version-state.ts'

export type ChangeReleaseDeps = Pick<
  FeatureDeps,
  'runtimes' | 'versions' | 'releases' | 'placements' | 'events' | 'now' | 'lock'
>

/** What is decided on: the version and the release in force, read in one attempt. */
export type Situation = VersionState & { readonly release: Intent }
export type Intent = Pick<Release, 'running' | 'published'>
export type Decide = (situation: Situation) => Intent | null | Promise<Intent | null>
type Target = { runtimeId: string; versionName: string }
type Cause = Pick<ReleaseCause, 'operation' | 'by' | 'comment'>

/** Attempts before a caller hears that others were always faster. Each lost one means that another process won. */
const ATTEMPTS_MAX = 10

/**
 * Reads the situation, lets `decide` make the next intent of it, and appends that as a release; starts over when
 * another process appended first, so a rule is never judged on a release that is not in force any more.
 *
 * @param decide refuses by throwing; null = nothing to change, no release is written.
 * @returns the version as the new release makes it.
 * @throws KreError `not-found`, `aborted`, and what `decide` throws.
 */
export function changeRelease(
  deps: ChangeReleaseDeps,
  target: Target,
  cause: Cause,
  decide: Decide,
): Promise<VersionState> {
  return deps.lock(runtimeLock(target.runtimeId), () =>
    changeReleaseLocked(deps, target, cause, decide),
  )
}

/** `changeRelease` for a caller that holds `runtimeLock` because it does more than one step under it. */
export async function changeReleaseLocked(
  deps: ChangeReleaseDeps,
  { runtimeId, versionName }: Target,
  cause: Cause,
  decide: Decide,
): Promise<VersionState> {
  for (let attempt = 1; ; attempt += 1) {
    const version = await requireVersion(deps, runtimeId, versionName)
    const state = await readRuntimeState(deps, runtimeId)
    const current = versionState(version, state)
    const intent = await decide({ ...current, release: state.release ?? NOTHING })
    if (intent === null) return current
    const release: Release = {
      runtimeId,
      generation: (state.release?.generation ?? 0) + 1,
      running: intent.running,
      published: intent.published,
      cause: { ...cause, version: versionName, at: deps.now() },
    }
    if (await append(deps, release, attempt)) {
      deps.events.publish({ type: 'release.written', runtimeId })
      return versionState(version, await readRuntimeState(deps, runtimeId))
    }
  }
}

/** Key of the lock on everything that decides what a runtime shall run. */
export function runtimeLock(runtimeId: string): string {
  return `runtime/${runtimeId}`
}

const NOTHING: Intent = { running: [], published: null }

/** False when another process was faster and there are attempts left. */
async function append(
  deps: ChangeReleaseDeps,
  release: Release,
  attempt: number,
): Promise<boolean> {
  try {
    await deps.releases.append(release)
    return true
  } catch (error) {
    const lost = error instanceof KreError && error.code === 'aborted'
    if (lost && attempt < ATTEMPTS_MAX) return false
    throw error
  }
}

/** `running` with one version added or replaced; the order of the others stays. */
export function withRunning(
  running: readonly RunningVersion[],
  added: RunningVersion,
): readonly RunningVersion[] {
  return [...withoutRunning(running, added.version), added]
}

export function withoutRunning(
  running: readonly RunningVersion[],
  version: string,
): readonly RunningVersion[] {
  return running.filter((other) => other.version !== version)
}

/**
 * The configuration generation of the version's next processes. Higher than the one in force, so they are rolled,
 * and never behind the stored one.
 */
export function nextConfigGeneration(
  running: readonly RunningVersion[],
  version: string,
  stored: number,
): number {
  const inForce = running.find((other) => other.version === version)?.configGeneration
  return inForce === undefined ? stored : Math.max(stored, inForce + 1)
}
