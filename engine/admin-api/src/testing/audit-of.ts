import { verifyChain } from '../audit/verify-chain.ts'
import { deriveChainKey } from '../audit/chain-key.ts'
import type { Headers } from './people.ts'
import type { TestApi } from './start-test-api.ts'

export type ActivityRow = {
  id: string
  type: string
  user: { id: string }
  vars: { key: string; value: string }[]
  isGenuine: boolean
  outcome: string
  errorCode: string | null
  operation: string
  principal: string
  address: string
  userAgent: string
  requestId: string
  comment: string
  args: string
  before: string | null
  after: string | null
}

const FIELDS =
  'id type user { id } vars { key value } isGenuine outcome errorCode operation principal address userAgent requestId comment args before after'

/** One page of the list, as a caller reads it. @param filters GraphQL arguments in parentheses, or nothing. */
export async function activities(
  api: TestApi,
  filters = '',
  headers: Headers = api.asOwner,
): Promise<ActivityRow[]> {
  const { data, errors } = await api.graphql(
    `{ userActivityList${filters} { ${FIELDS} } }`,
    {},
    headers,
  )
  if (errors !== undefined) throw new Error(errors[0]?.message)
  return data?.['userActivityList'] as unknown as ActivityRow[]
}

/** What was added to the list by `work`, newest first. */
export async function audited(api: TestApi, work: () => Promise<unknown>): Promise<ActivityRow[]> {
  const [before] = await activities(api)
  await work()
  const rows = await activities(api)
  const at = rows.findIndex(({ id }) => id === before?.id)
  return at === -1 ? rows : rows.slice(0, at)
}

export function varsOf(row: ActivityRow | undefined): Record<string, string> {
  return Object.fromEntries((row?.vars ?? []).map(({ key, value }) => [key, value]))
}

export function verifyAudit(api: TestApi, pepper: Buffer) {
  return verifyChain({ audit: api.store.audit, key: deriveChainKey(pepper) })
}
