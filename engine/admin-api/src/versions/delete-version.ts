import type { FeatureDeps } from '../context.ts'
import { authorize } from '../principal.ts'
import {
  changeReleaseLocked,
  runtimeLock,
  withoutRunning,
  type ChangeReleaseDeps,
} from '../releases/change-release.ts'
import { requireComment } from '../releases/require-comment.ts'
import { assertAllowed, assertNotPublished } from './assert-allowed.ts'
import { dropUnusedBundle } from './drop-unused-bundle.ts'
import type { VersionCommand } from './version-command.ts'
import { isWanted, type VersionState } from './version-state.ts'

type DeleteVersionDeps = ChangeReleaseDeps &
  Pick<FeatureDeps, 'config' | 'bundles' | 'samples' | 'lock'>

/**
 * Removes the version, its configuration, and its bundle when no other version has the same one.
 * A version in ERROR is taken out of the release first, so that its processes end.
 *
 * @returns the version as it was.
 * @throws KreError `failed-precondition` when it runs or is published.
 */
export async function deleteVersion(
  deps: DeleteVersionDeps,
  command: VersionCommand,
): Promise<VersionState> {
  const { principal, runtimeId, versionName } = command
  authorize(principal, 'edit versions', runtimeId)
  const cause = {
    operation: 'stop',
    by: principal.email,
    comment: requireComment(command.comment),
  } as const
  const deleted = await deps.lock(runtimeLock(runtimeId), async () => {
    const state = await changeReleaseLocked(deps, command, cause, (situation) => {
      const { running, published } = situation.release
      assertNotPublished('delete', published, situation)
      assertAllowed('delete', situation)
      if (!isWanted(situation.release, versionName)) return null
      return { running: withoutRunning(running, versionName), published }
    })
    await deps.versions.remove(runtimeId, versionName)
    await deps.config.remove(runtimeId, versionName)
    await deps.samples.remove(runtimeId, versionName)
    return state
  })
  await dropUnusedBundle(deps, deleted.version.bundleDigest)
  deps.events.publish({ type: 'version.deleted', runtimeId, version: versionName })
  return deleted
}
