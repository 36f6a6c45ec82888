import { setConfig, type SetConfig } from '../config/set-config.ts'
import type { FeatureDeps } from '../context.ts'
import { createRuntime } from '../runtimes/create-runtime.ts'
import { deleteRuntime } from '../runtimes/delete-runtime.ts'
import type { RuntimeFields } from '../runtimes/runtime-rules.ts'
import { updateRuntime } from '../runtimes/update-runtime.ts'
import { deleteVersion } from '../versions/delete-version.ts'
import { publishVersion, type PublishVersion } from '../versions/publish-version.ts'
import { restartVersion, startVersion } from '../versions/start-version.ts'
import { stopVersion } from '../versions/stop-version.ts'
import { unpublishVersion } from '../versions/unpublish-version.ts'
import type { VersionCommand } from '../versions/version-command.ts'
import type { VersionState } from '../versions/version-state.ts'
import { createAccountMutations } from './account-resolvers.ts'
import type { GraphqlContext } from './context.ts'
import { createObservationMutations } from './observation-resolvers.ts'
import { createUploadMutations } from './upload-mutations.ts'
import { toGraphqlRuntime } from './to-graphql-runtime.ts'
import { toGraphqlVersion } from './to-graphql-version.ts'

type Input<T> = { input: Omit<T, 'principal'> }

export function createMutations(deps: FeatureDeps) {
  return {
    ...createAccountMutations(deps),
    ...createObservationMutations(deps),
    ...createUploadMutations(deps),

    createRuntime: async (
      _: unknown,
      { input }: Input<RuntimeFields>,
      { principal }: GraphqlContext,
    ) => toGraphqlRuntime(await createRuntime(deps, { ...input, principal })),

    updateRuntime: async (
      _: unknown,
      args: { input: { id: string; name?: string | null; description?: string | null } },
      { principal }: GraphqlContext,
    ) => {
      const { id, name = null, description = null } = args.input
      return toGraphqlRuntime(await updateRuntime(deps, { principal, id, name, description }))
    },

    deleteRuntime: async (
      _: unknown,
      { input }: Input<{ id: string; comment: string }>,
      { principal }: GraphqlContext,
    ) => {
      const { id: runtimeId, comment } = input
      return toGraphqlRuntime(await deleteRuntime(deps, { principal, runtimeId, comment }))
    },

    startVersion: onVersion((command) => startVersion(deps, command)),
    restartVersion: onVersion((command) => restartVersion(deps, command)),
    stopVersion: onVersion((command) => stopVersion(deps, command)),
    publishVersion: async (
      _: unknown,
      { input }: Input<PublishVersion>,
      { principal }: GraphqlContext,
    ) => toGraphqlVersion(await publishVersion(deps, { ...input, principal })),
    unpublishVersion: onVersion((command) => unpublishVersion(deps, command)),
    deleteVersion: onVersion((command) => deleteVersion(deps, command)),

    updateVersionUserConfiguration: async (
      _: unknown,
      args: {
        input: Omit<SetConfig, 'principal' | 'variables'> & {
          configurationVariables: SetConfig['variables']
        }
      },
      { principal }: GraphqlContext,
    ) => {
      const { configurationVariables: variables, ...input } = args.input
      return toGraphqlVersion(await setConfig(deps, { ...input, variables, principal }))
    },
  }
}

function onVersion(run: (command: VersionCommand) => Promise<VersionState>) {
  return async (_: unknown, { input }: Input<VersionCommand>, { principal }: GraphqlContext) =>
    toGraphqlVersion(await run({ ...input, principal }))
}
