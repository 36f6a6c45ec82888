import { deriveVersion, KreError } from '@kre/contracts'
import type { DerivedVersion, Placement, Release } from '@kre/contracts'
import type { Runtime, Store, Version } from '@kre/store'
import { runtimeMissing } from '../principal.ts'
import { quoted } from '../text.ts'

/** What a runtime's versions derive their statuses from. */
export type RuntimeState = {
  readonly release: Release | null
  readonly everRunning: ReadonlySet<string>
  readonly placement: Placement | null
}

/** A version with everything that is known of it but its configuration. */
export type VersionState = { readonly version: Version; readonly derived: DerivedVersion }

export async function readRuntimeState(
  deps: Pick<Store, 'releases' | 'placements'>,
  runtimeId: string,
): Promise<RuntimeState> {
  const [release, everRunning, placement] = await Promise.all([
    deps.releases.current(runtimeId),
    deps.releases.everRunning(runtimeId),
    deps.placements.get(runtimeId),
  ])
  return { release, everRunning, placement }
}

export function versionState(version: Version, state: RuntimeState): VersionState {
  const derived = deriveVersion({
    version: version.name,
    manifest: version.facts.manifest,
    release: state.release,
    wasWanted: state.everRunning.has(version.name),
    placement: state.placement,
  })
  return { version, derived }
}

/** Whether intent says that the version runs. */
export function isWanted(release: Pick<Release, 'running'> | null, versionName: string): boolean {
  return release?.running.some((running) => running.version === versionName) ?? false
}

/** @throws KreError `not-found`. */
export async function requireRuntime(
  deps: Pick<Store, 'runtimes'>,
  runtimeId: string,
): Promise<Runtime> {
  const runtime = await deps.runtimes.find(runtimeId)
  if (runtime !== null) return runtime
  throw runtimeMissing(runtimeId)
}

/** @throws KreError `not-found`, for the runtime or for the version. */
export async function requireVersion(
  deps: Pick<Store, 'runtimes' | 'versions'>,
  runtimeId: string,
  versionName: string,
): Promise<Version> {
  await requireRuntime(deps, runtimeId)
  const version = await deps.versions.find(runtimeId, versionName)
  if (version !== null) return version
  throw new KreError(
    'not-found',
    `there is no version ${quoted(versionName)} in runtime ${quoted(runtimeId)}`,
  )
}
