import type { Runtime, Store } from '@kre/store'
import { authorize, sees, type Principal } from '../principal.ts'
import { requireRuntime, versionState, type VersionState } from '../versions/version-state.ts'

type ReadRuntimesDeps = Pick<Store, 'runtimes' | 'versions' | 'releases' | 'placements'>

/** @throws KreError `not-found`. */
export async function findRuntime(
  deps: ReadRuntimesDeps,
  query: { principal: Principal; runtimeId: string },
): Promise<Runtime> {
  authorize(query.principal, 'view runtimes', query.runtimeId)
  return requireRuntime(deps, query.runtimeId)
}

/** Those that the principal may see, oldest first. */
export async function listRuntimes(
  deps: ReadRuntimesDeps,
  query: { principal: Principal },
): Promise<Runtime[]> {
  return (await deps.runtimes.list()).filter(({ id }) => sees(query.principal, id))
}

/** The version at the runtime's public address, by intent; null = none. */
export async function findPublishedVersion(
  deps: ReadRuntimesDeps,
  query: { principal: Principal; runtimeId: string },
): Promise<VersionState | null> {
  authorize(query.principal, 'view versions', query.runtimeId)
  const { runtimeId } = query
  const release = await deps.releases.current(runtimeId)
  const name = release?.published ?? null
  // A list asks this for each runtime: where nothing is published, no more is read.
  if (name === null) return null
  const [version, placement] = await Promise.all([
    deps.versions.find(runtimeId, name),
    deps.placements.get(runtimeId),
  ])
  // What a release publishes it has wanted.
  const state = { release, everRunning: new Set([name]), placement }
  return version === null ? null : versionState(version, state)
}

/** `host:port` of the runtime's published entrypoint, empty while nothing listens. */
export async function findEntrypointAddress(
  deps: ReadRuntimesDeps,
  query: { principal: Principal; runtimeId: string },
): Promise<string> {
  authorize(query.principal, 'view runtimes', query.runtimeId)
  const placement = await deps.placements.get(query.runtimeId)
  const entrypoint = placement?.workloads.find(
    (workload) => workload.role === 'entrypoint' && workload.version === null,
  )
  return entrypoint?.address ?? ''
}
