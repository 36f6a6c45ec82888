import { authorize } from '../principal.ts'
import {
  changeRelease,
  withoutRunning,
  type ChangeReleaseDeps,
} from '../releases/change-release.ts'
import { requireComment } from '../releases/require-comment.ts'
import { assertAllowed, assertNotPublished } from './assert-allowed.ts'
import type { VersionCommand } from './version-command.ts'
import type { VersionState } from './version-state.ts'

/**
 * Wants the version not to run any more; its processes finish the requests they have.
 *
 * @throws KreError `failed-precondition` in the wrong status, or while it is published.
 */
export async function stopVersion(
  deps: ChangeReleaseDeps,
  command: VersionCommand,
): Promise<VersionState> {
  const { principal, versionName } = command
  authorize(principal, 'edit versions', command.runtimeId)
  const cause = {
    operation: 'stop',
    by: principal.email,
    comment: requireComment(command.comment),
  } as const
  return changeRelease(deps, command, cause, (situation) => {
    const { running, published } = situation.release
    assertNotPublished('stop', published, situation)
    assertAllowed('stop', situation)
    return { running: withoutRunning(running, versionName), published }
  })
}
