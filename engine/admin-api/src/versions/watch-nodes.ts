import type { DerivedNode } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { watchChanges } from '../watch/watch-changes.ts'
import {
  readRuntimeState,
  requireVersion,
  versionState,
  type VersionState,
} from './version-state.ts'

type WatchNodesDeps = Pick<
  FeatureDeps,
  'runtimes' | 'versions' | 'releases' | 'placements' | 'events'
>

export type NodeState = { readonly state: VersionState; readonly node: DerivedNode }

/**
 * Nodes of a version whose status changed after the call.
 *
 * @throws KreError `not-found`.
 */
export async function watchNodes(
  deps: WatchNodesDeps,
  command: { principal: Principal; runtimeId: string; versionName: string; signal: AbortSignal },
): Promise<AsyncIterableIterator<NodeState, undefined>> {
  const { principal, runtimeId, versionName, signal } = command
  authorize(principal, 'view versions', runtimeId)
  await requireVersion(deps, runtimeId, versionName)
  const known = new Map<string, string>()
  const readChanged = async (): Promise<NodeState[]> => {
    const version = await deps.versions.find(runtimeId, versionName)
    if (version === null) return []
    const state = versionState(version, await readRuntimeState(deps, runtimeId))
    return state.derived.nodes.flatMap((node) => {
      const id = `${node.workflow}.${node.node}`
      const look = JSON.stringify(node)
      if (known.get(id) === look) return []
      known.set(id, look)
      return [{ state, node }]
    })
  }
  const watch = watchChanges({
    events: deps.events,
    signal,
    isRelevant: (event) =>
      event.runtimeId === runtimeId &&
      (event.type === 'release.written' || event.type === 'placement.observed'),
    read: readChanged,
  })
  await readChanged()
  return watch
}
