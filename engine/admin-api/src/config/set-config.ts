import type { FeatureDeps } from '../context.ts'
import { authorize } from '../principal.ts'
import {
  changeRelease,
  nextConfigGeneration,
  withRunning,
  type ChangeReleaseDeps,
} from '../releases/change-release.ts'
import type { VersionCommand } from '../versions/version-command.ts'
import { isWanted, type VersionState } from '../versions/version-state.ts'
import { planConfigChange } from './plan-config-change.ts'

type SetConfigDeps = ChangeReleaseDeps & Pick<FeatureDeps, 'config'>

export type SetConfig = Omit<VersionCommand, 'comment'> & {
  readonly variables: readonly { key: string; value: string }[]
  /** Nothing is set unless this is the configuration's generation. Absent = the last change of a key wins. */
  readonly ifGeneration?: number | null
}

/**
 * Stores configuration values. A version that is wanted gets a new release, so that its processes are rolled.
 *
 * @throws KreError `invalid-argument`, `failed-precondition` (see `planConfigChange`), `aborted` when somebody else
 *   changed the configuration since `ifGeneration`.
 */
export async function setConfig(deps: SetConfigDeps, command: SetConfig): Promise<VersionState> {
  const { principal, runtimeId, versionName, variables } = command
  const ifGeneration = command.ifGeneration ?? undefined
  // `changeRelease` may try again: the release is new then, the values are stored.
  let stored: number | null = null
  authorize(principal, 'edit versions', runtimeId)
  const cause = { operation: 'configure', by: principal.email, comment: '' } as const
  return changeRelease(deps, command, cause, async ({ version, release }) => {
    const wanted = isWanted(release, versionName)
    const entries = planConfigChange(
      version.facts.manifest,
      // A damaged value is as good as none: setting it again repairs it.
      await deps.config.get(runtimeId, versionName, { leaveOutDamaged: true }),
      variables,
      { mustBeComplete: wanted, now: deps.now() },
    )
    stored ??= await deps.config.set(runtimeId, versionName, entries, ifGeneration)
    if (!wanted || entries.length === 0) return null
    const { running, published } = release
    const configGeneration = nextConfigGeneration(running, versionName, stored)
    return { running: withRunning(running, { version: versionName, configGeneration }), published }
  })
}
