import { readConfig } from '../config/read-config.ts'
import type { FeatureDeps } from '../context.ts'
import { publicAddress } from '../http/public-address.ts'
import { findPreviousVersion } from '../runtimes/previous-version.ts'
import { findEntrypointAddress, findPublishedVersion } from '../runtimes/read-runtimes.ts'
import { createUserFields } from './account-resolvers.ts'
import type { GraphqlContext } from './context.ts'
import { createObservationFields } from './observation-resolvers.ts'
import { createServiceFields } from './sample-resolvers.ts'
import type { GraphqlRuntime } from './to-graphql-runtime.ts'
import { toGraphqlVersion, type GraphqlVersion } from './to-graphql-version.ts'

/** Fields that read more than their parent's row, and only when they are asked for. */
export function createFields(deps: FeatureDeps) {
  return {
    ...createObservationFields(deps),
    User: createUserFields(deps),

    Runtime: {
      measurementsUrl: ({ id }: GraphqlRuntime) =>
        publicAddress(deps.publicUrl(), `/ui/runtimes/${id}/versions`).href,

      databaseUrl: () => '',

      entrypointAddress: (
        { id: runtimeId }: GraphqlRuntime,
        _args: unknown,
        { principal }: GraphqlContext,
      ) => findEntrypointAddress(deps, { principal, runtimeId }),

      publishedVersion: async (
        { id: runtimeId }: GraphqlRuntime,
        _args: unknown,
        { principal }: GraphqlContext,
      ) => {
        const published = await findPublishedVersion(deps, { principal, runtimeId })
        return published === null ? null : toGraphqlVersion(published)
      },

      previousVersion: async (
        { id: runtimeId }: GraphqlRuntime,
        _args: unknown,
        { principal }: GraphqlContext,
      ) => {
        const previous = await findPreviousVersion(deps, { principal, runtimeId })
        return previous === null ? null : toGraphqlVersion(previous)
      },
    },

    Version: {
      ...createServiceFields(deps),
      config: async (
        { runtimeId, name: versionName }: GraphqlVersion,
        _args: unknown,
        { principal }: GraphqlContext,
      ) => {
        const { vars, missing, generation } = await readConfig(deps, {
          principal,
          runtimeId,
          versionName,
        })
        return {
          generation,
          completed: missing.length === 0,
          vars: vars.map(({ updatedAt, ...variable }) => ({
            ...variable,
            value: '',
            updatedAt: updatedAt?.toISOString() ?? null,
          })),
        }
      },
    },
  }
}
