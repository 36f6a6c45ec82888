import { KreError } from '@kre/contracts'
import type { Runtime } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { runtimeLock } from '../releases/change-release.ts'
import { requireComment } from '../releases/require-comment.ts'
import { dropUnusedBundle } from '../versions/drop-unused-bundle.ts'
import { readRuntimeState, requireRuntime, type RuntimeState } from '../versions/version-state.ts'

type DeleteRuntimeDeps = Pick<
  FeatureDeps,
  'runtimes' | 'versions' | 'releases' | 'placements' | 'bundles' | 'events' | 'lock'
>

/**
 * Removes the runtime with its versions and their data, and the bundles nobody else uses.
 *
 * @returns the runtime as it was.
 * @throws KreError `failed-precondition` naming the versions that are wanted or still have processes.
 */
export async function deleteRuntime(
  deps: DeleteRuntimeDeps,
  command: { principal: Principal; runtimeId: string; comment: string },
): Promise<Runtime> {
  const { principal, runtimeId } = command
  authorize(principal, 'edit runtimes')
  requireComment(command.comment)
  return deps.lock(runtimeLock(runtimeId), async () => {
    const runtime = await requireRuntime(deps, runtimeId)
    const running = runningVersions(await readRuntimeState(deps, runtimeId))
    if (running.length > 0)
      throw new KreError(
        'failed-precondition',
        `the runtime has running versions: stop ${running.map((name) => `"${name}"`).join(', ')} first`,
        { runtimeId, running },
      )
    const versions = await deps.versions.list(runtimeId)
    await deps.runtimes.remove(runtimeId)
    for (const digest of new Set(versions.map((version) => version.bundleDigest)))
      await dropUnusedBundle(deps, digest)
    deps.events.publish({ type: 'runtime.deleted', runtimeId })
    return runtime
  })
}

/** Versions that are wanted or observed with a process. */
export function runningVersions({ release, placement }: RuntimeState): string[] {
  const wanted = release?.running.map(({ version }) => version) ?? []
  const observed = (placement?.workloads ?? []).flatMap(({ version, replicas }) =>
    version !== null && replicas.length > 0 ? [version] : [],
  )
  return [...new Set([...wanted, ...observed])]
}
