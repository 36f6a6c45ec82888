import { compareConfig } from '../config/compare-config.ts'
import type { FeatureDeps } from '../context.ts'
import { queryLogs } from '../logs/query-logs.ts'
import { findRuntime, listRuntimes } from '../runtimes/read-runtimes.ts'
import { findVersion, listVersions } from '../versions/read-versions.ts'
import { createAccountQueries } from './account-resolvers.ts'
import { createAuditQueries } from './audit-queries.ts'
import { createComparisonQueries } from './comparison-resolvers.ts'
import type { GraphqlContext } from './context.ts'
import { createObservationQueries } from './observation-resolvers.ts'
import { pageOf, type PageArgs } from './page-of.ts'
import { toGraphqlLog } from './to-graphql-log.ts'
import { toGraphqlRuntime } from './to-graphql-runtime.ts'
import { toGraphqlVersion } from './to-graphql-version.ts'

export function createQueries(deps: FeatureDeps) {
  return {
    ...createObservationQueries(deps),
    ...createAccountQueries(deps),
    ...createAuditQueries(deps),
    ...createComparisonQueries(deps),

    runtime: async (_: unknown, args: { id: string }, { principal }: GraphqlContext) =>
      toGraphqlRuntime(await findRuntime(deps, { principal, runtimeId: args.id })),

    runtimes: async (_: unknown, args: PageArgs, { principal }: GraphqlContext) =>
      pageOf(await listRuntimes(deps, { principal }), args, ({ id }) => [id]).map(toGraphqlRuntime),

    version: async (
      _: unknown,
      args: { name: string; runtimeId: string },
      { principal }: GraphqlContext,
    ) => {
      const { name: versionName, runtimeId } = args
      return toGraphqlVersion(await findVersion(deps, { principal, runtimeId, versionName }))
    },

    versions: async (
      _: unknown,
      args: PageArgs & { runtimeId: string },
      { principal }: GraphqlContext,
    ) => {
      const versions = await listVersions(deps, { principal, runtimeId: args.runtimeId })
      return pageOf(versions, args, ({ version }) => [version.id, version.name]).map(
        toGraphqlVersion,
      )
    },

    configurationDifferences: async (
      _: unknown,
      args: {
        runtimeId: string
        versionName: string
        configurationVariables: readonly { key: string; value: string }[]
      },
      { principal }: GraphqlContext,
    ) => {
      const { configurationVariables: variables, ...query } = args
      return compareConfig(deps, { ...query, variables, principal })
    },

    logs: async (
      _: unknown,
      args: { runtimeId: string; filters: unknown; cursor?: string | null; limit?: number | null },
      { principal }: GraphqlContext,
    ) => {
      const { runtimeId, filters, cursor = null, limit = null } = args
      const page = await queryLogs(deps, { principal, runtimeId, filters, cursor, limit })
      return { cursor: page.cursor, items: page.items.map(toGraphqlLog) }
    },
  }
}
