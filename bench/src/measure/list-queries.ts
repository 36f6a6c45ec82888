/** Lists as pages of the admin API ask for them, by what is in them. */
import { NEEDLE } from '../engine/fill-store.ts'

export type ListQuery = { name: string; document: string; variables: Record<string, unknown> }

const SINCE = '2020-01-01T00:00:00Z'
const LOGS = `query ($runtimeId: ID!, $filters: LogFilters!) {
  logs(runtimeId: $runtimeId, filters: $filters) { cursor items { id date level nodeName workflowName versionName message requestId } } }`

const logs = (name: string, filters: Record<string, unknown>): ListQuery => ({
  name,
  document: LOGS,
  variables: { filters: { startDate: SINCE, ...filters } },
})

/** @param version the one with most lines. */
export function listQueries(version: string): ListQuery[] {
  return [
    {
      name: 'runtimes',
      document:
        '{ runtimes { id name description creationDate entrypointAddress publishedVersion { name status } } }',
      variables: {},
    },
    {
      name: 'versions',
      document:
        'query ($runtimeId: ID!) { versions(runtimeId: $runtimeId) { id name description status creationDate creationAuthor { email } } }',
      variables: {},
    },
    {
      name: 'versionsPage',
      document:
        'query ($runtimeId: ID!) { versions(runtimeId: $runtimeId, limit: 40) { id name status statusReason workflows { id nodes { id status } } } }',
      variables: {},
    },
    { name: 'users', document: '{ users { id email accessLevel lastActivity } }', variables: {} },
    {
      name: 'activities',
      document: '{ userActivityList { id type date user { email } vars { key value } } }',
      variables: {},
    },
    logs('logs', {}),
    logs('logsOfVersion', { versionsIds: [version] }),
    logs('logsErrorsOfNode', { versionsIds: [version], levels: ['ERROR'], nodeIds: ['echo.n1'] }),
    logs('logsErrorsOfAll', { levels: ['ERROR'] }),
    logs('logsOfText', { versionsIds: [version], search: NEEDLE }),
    logs('logsOfNoText', { versionsIds: [version], search: 'nowhere' }),
    logs('logsOfRequest', { requestId: 'none' }),
  ]
}
