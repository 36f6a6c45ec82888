import { describe, expect, test } from '@jest/globals'
import type { AdminClient } from '../api/admin-client.ts'
import type { Output } from '../output/output.ts'
import type { Step } from './plan-apply.ts'
import { runPlan } from './run-plan.ts'

/** What is asked of the engine; it has done at once what it is asked for. */
async function asked(step: Step): Promise<unknown> {
  const inputs: unknown[] = []
  const client = {
    graphql: async (document: string, variables?: Record<string, unknown>) => {
      if (document.startsWith('mutation')) inputs.push(variables?.['input'])
      return { version: { name: 'v1', status: 'PUBLISHED', statusReason: '', workflows: [] } }
    },
  } as Partial<AdminClient> as AdminClient
  const { failure } = await runPlan([step], {
    client,
    output: { step: () => undefined } as Partial<Output> as Output,
    signal: AbortSignal.timeout(10_000),
    reconnect: async () => client,
    archives: new Map(),
    values: new Map(),
    comment: 'why',
    timeoutMs: 1_000,
  })
  return failure ?? inputs
}

describe('what somebody else changes after the plan was made is not overruled', () => {
  test('of settings: those that change', async () => {
    const was = { authAllowedDomains: ['kre.io'], sessionLifetimeInDays: 3 }
    expect(
      await asked({ kind: 'update-settings', change: { sessionLifetimeInDays: 9 }, was }),
    ).toEqual([{ sessionLifetimeInDays: 9, ifSessionLifetimeInDays: 3 }])
    expect(
      await asked({ kind: 'update-settings', change: { authAllowedDomains: [] }, was }),
    ).toEqual([{ authAllowedDomains: [], ifAuthAllowedDomains: ['kre.io'] }])
  })

  test.each([
    ['ADMIN', 'ADMIN'],
    [null, null],
  ] as const)('of a level that was %s', async (was, ifAccessLevel) => {
    expect(await asked({ kind: 'set-level', email: 'eve@kre.io', level: 'VIEWER', was })).toEqual([
      { userIds: ['eve@kre.io'], accessLevel: 'VIEWER', ifAccessLevel, comment: 'why' },
    ])
  })

  test('of grants', async () => {
    const step = { kind: 'set-grants', email: 'eve@kre.io', grants: {} } as const
    expect(await asked({ ...step, was: { shop: 'VIEWER' } })).toEqual([
      {
        userIds: ['eve@kre.io'],
        grants: [],
        ifGrants: [{ runtimeId: 'shop', accessLevel: 'VIEWER' }],
        comment: 'why',
      },
    ])
  })

  test.each([
    ['v0', 'v0'],
    [null, ''],
  ] as const)('of what is published: %s', async (was, ifPublished) => {
    expect(await asked({ kind: 'publish', runtime: 'shop', version: 'v1', was })).toEqual([
      { runtimeId: 'shop', versionName: 'v1', comment: 'why', ifPublished },
    ])
  })
})
