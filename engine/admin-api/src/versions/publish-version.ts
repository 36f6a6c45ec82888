import { KreError } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { authorize } from '../principal.ts'
import { changeRelease, type ChangeReleaseDeps } from '../releases/change-release.ts'
import { requireComment } from '../releases/require-comment.ts'
import { quoted } from '../text.ts'
import { assertAllowed } from './assert-allowed.ts'
import type { VersionCommand } from './version-command.ts'
import { requireVersion, type VersionState } from './version-state.ts'

type PublishVersionDeps = ChangeReleaseDeps & Pick<FeatureDeps, 'versions'>

export type PublishVersion = VersionCommand & {
  /** What must be published still; empty = nothing, null or absent = whatever it is. */
  readonly ifPublished?: string | null
}

/**
 * Wants the runtime's public address to serve the version. The one published before goes on running.
 * Publishing what is being published already changes nothing.
 *
 * @throws KreError `failed-precondition` when the version is not started, `aborted` when another version than
 * `ifPublished` is published.
 */
export async function publishVersion(
  deps: PublishVersionDeps,
  command: PublishVersion,
): Promise<VersionState> {
  const { principal, runtimeId, versionName, ifPublished = null } = command
  authorize(principal, 'edit versions', runtimeId)
  const cause = {
    operation: 'publish',
    by: principal.email,
    comment: requireComment(command.comment),
  } as const
  const state = await changeRelease(deps, command, cause, (situation) => {
    const { running, published } = situation.release
    if (ifPublished !== null && published !== versionName && (published ?? '') !== ifPublished)
      throw overtaken(published, ifPublished)
    assertAllowed('publish', situation)
    return published === versionName ? null : { running, published: versionName }
  })
  await deps.versions.markPublished(runtimeId, versionName, principal.email, deps.now())
  return { ...state, version: await requireVersion(deps, runtimeId, versionName) }
}

function overtaken(published: string | null, expected: string): KreError {
  const is = published === null ? 'no version is' : `version ${quoted(published)} is`
  const not = expected === '' ? 'none was' : `${quoted(expected)} was`
  return new KreError(
    'aborted',
    `${is} published by now, where ${not} expected: somebody was faster; look at the runtime again and decide anew`,
    { reason: 'OTHER_PUBLISHED', published: published ?? '' },
  )
}
