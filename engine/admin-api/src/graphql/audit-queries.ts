import type { FeatureDeps } from '../context.ts'
import { listActivities, type Activity } from '../audit/list-activities.ts'
import type { Anchor } from '../audit/verify-chain.ts'
import type { GraphqlContext } from './context.ts'
import { toGraphqlUser } from './to-graphql-user.ts'

export function createAuditQueries(deps: FeatureDeps) {
  return {
    userActivityList: async (_: unknown, filters: object, { principal }: GraphqlContext) =>
      (await listActivities(deps, { principal, filters })).map(toGraphqlActivity),

    auditIntegrity: async (
      _: unknown,
      { head }: { head?: Anchor | null },
      { principal }: GraphqlContext,
    ) => {
      const verdict = await deps.checkAudit({ principal, anchor: head ?? null })
      return { ...verdict, firstBadSeq: verdict.problems[0]?.seq ?? null }
    },
  }
}

function toGraphqlActivity({ id, type, actor, date, vars, record, isGenuine }: Activity) {
  return {
    id,
    type,
    user: toGraphqlUser(actor),
    date: date.toISOString(),
    vars,
    isGenuine,
    outcome: record?.outcome.toUpperCase() ?? 'UNKNOWN',
    errorCode: record?.errorCode ?? null,
    operation: record?.operation ?? '',
    principal: (record?.principal ?? 'anonymous').replaceAll('-', '_').toUpperCase(),
    address: record?.address ?? '',
    userAgent: record?.userAgent ?? '',
    requestId: record?.requestId ?? '',
    comment: record?.comment ?? '',
    args: JSON.stringify(record?.args ?? {}),
    before: record?.before === undefined ? null : JSON.stringify(record.before),
    after: record?.after === undefined ? null : JSON.stringify(record.after),
  }
}
