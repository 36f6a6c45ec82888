import type { FeatureDeps } from '../context.ts'
import { authorize } from '../principal.ts'
import { changeRelease, type ChangeReleaseDeps } from '../releases/change-release.ts'
import { requireComment } from '../releases/require-comment.ts'
import { assertAllowed } from './assert-allowed.ts'
import type { VersionCommand } from './version-command.ts'
import { requireVersion, type VersionState } from './version-state.ts'

type PublishVersionDeps = ChangeReleaseDeps & Pick<FeatureDeps, 'versions'>

/**
 * Wants the runtime's public address to serve the version. The one published before goes on running.
 * Publishing what is being published already changes nothing.
 *
 * @throws KreError `failed-precondition` when the version is not started.
 */
export async function publishVersion(
  deps: PublishVersionDeps,
  command: VersionCommand,
): Promise<VersionState> {
  const { principal, runtimeId, versionName } = command
  authorize(principal, 'edit versions', runtimeId)
  const cause = {
    operation: 'publish',
    by: principal.email,
    comment: requireComment(command.comment),
  } as const
  const state = await changeRelease(deps, command, cause, (situation) => {
    assertAllowed('publish', situation)
    const { running, published } = situation.release
    return published === versionName ? null : { running, published: versionName }
  })
  await deps.versions.markPublished(runtimeId, versionName, principal.email, deps.now())
  return { ...state, version: await requireVersion(deps, runtimeId, versionName) }
}
