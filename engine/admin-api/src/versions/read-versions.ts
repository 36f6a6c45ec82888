import type { Store } from '@kre/store'
import { authorize, type Principal } from '../principal.ts'
import {
  readRuntimeState,
  requireRuntime,
  requireVersion,
  versionState,
  type VersionState,
} from './version-state.ts'

type ReadVersionsDeps = Pick<Store, 'runtimes' | 'versions' | 'releases' | 'placements'>

/** @throws KreError `not-found`. */
export async function findVersion(
  deps: ReadVersionsDeps,
  query: { principal: Principal; runtimeId: string; versionName: string },
): Promise<VersionState> {
  authorize(query.principal, 'view versions', query.runtimeId)
  const version = await requireVersion(deps, query.runtimeId, query.versionName)
  return versionState(version, await readRuntimeState(deps, query.runtimeId))
}

/** Newest first. @throws KreError `not-found` when there is no such runtime. */
export async function listVersions(
  deps: ReadVersionsDeps,
  query: { principal: Principal; runtimeId: string },
): Promise<VersionState[]> {
  authorize(query.principal, 'view versions', query.runtimeId)
  await requireRuntime(deps, query.runtimeId)
  const [versions, state] = await Promise.all([
    deps.versions.list(query.runtimeId),
    readRuntimeState(deps, query.runtimeId),
  ])
  return versions.map((version) => versionState(version, state))
}
