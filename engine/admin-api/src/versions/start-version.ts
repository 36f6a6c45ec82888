import { KreError } from '@kre/contracts'
import { configState } from '../config/config-state.ts'
import type { FeatureDeps } from '../context.ts'
import { authorize } from '../principal.ts'
import {
  changeRelease,
  nextConfigGeneration,
  withRunning,
  type ChangeReleaseDeps,
} from '../releases/change-release.ts'
import { requireComment } from '../releases/require-comment.ts'
import { assertAllowed } from './assert-allowed.ts'
import type { VersionCommand } from './version-command.ts'
import type { VersionState } from './version-state.ts'

type StartVersionDeps = ChangeReleaseDeps & Pick<FeatureDeps, 'config'>

/**
 * Wants the version to run. A version in ERROR is wanted already: its processes are started anew.
 *
 * @throws KreError `failed-precondition` in the wrong status, or when configuration keys have no value.
 */
export function startVersion(
  deps: StartVersionDeps,
  command: VersionCommand,
): Promise<VersionState> {
  return want(deps, command, 'start')
}

/** The same for a version in ERROR alone, for those who mean that and nothing else. */
export function restartVersion(
  deps: StartVersionDeps,
  command: VersionCommand,
): Promise<VersionState> {
  return want(deps, command, 'restart')
}

async function want(
  deps: StartVersionDeps,
  command: VersionCommand,
  operation: 'start' | 'restart',
): Promise<VersionState> {
  const { principal, runtimeId, versionName } = command
  authorize(principal, 'edit versions', runtimeId)
  const cause = {
    operation: 'start',
    by: principal.email,
    comment: requireComment(command.comment),
  } as const
  return changeRelease(deps, command, cause, async (situation) => {
    assertAllowed(operation, situation)
    const { missing } = configState(
      situation.version.facts.manifest,
      await deps.config.get(runtimeId, versionName),
    )
    if (missing.length > 0) throw incomplete(missing)
    const { running, published } = situation.release
    const stored = await deps.config.generation(runtimeId, versionName)
    const configGeneration = nextConfigGeneration(running, versionName, stored)
    return { running: withRunning(running, { version: versionName, configGeneration }), published }
  })
}

function incomplete(missing: readonly string[]): KreError {
  const keys = missing.map((key) => `"${key}"`).join(', ')
  return new KreError(
    'failed-precondition',
    `version config is incomplete: set a value for ${keys}`,
    { missing },
  )
}
