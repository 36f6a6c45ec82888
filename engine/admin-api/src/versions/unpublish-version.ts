import { authorize } from '../principal.ts'
import { changeRelease, type ChangeReleaseDeps } from '../releases/change-release.ts'
import { requireComment } from '../releases/require-comment.ts'
import { assertAllowed } from './assert-allowed.ts'
import type { VersionCommand } from './version-command.ts'
import type { VersionState } from './version-state.ts'

/**
 * Takes the version off the runtime's public address. A version that is meant to be published can be unpublished
 * whatever its status: one that broke, or is being rolled, must not be stuck at the public address.
 *
 * @throws KreError `failed-precondition` when it is not published.
 */
export async function unpublishVersion(
  deps: ChangeReleaseDeps,
  command: VersionCommand,
): Promise<VersionState> {
  const { principal, versionName } = command
  authorize(principal, 'edit versions', command.runtimeId)
  const cause = {
    operation: 'unpublish',
    by: principal.email,
    comment: requireComment(command.comment),
  } as const
  return changeRelease(deps, command, cause, (situation) => {
    const { running, published } = situation.release
    if (published !== versionName) assertAllowed('unpublish', situation)
    return { running, published: null }
  })
}
