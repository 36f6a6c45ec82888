import { table } from './output.ts'

export type ApiToken = {
  id: string
  name: string
  scope: string
  runtimeIds: string[] | null
  lastActivity: string | null
  expirationDate: string
}
export const API_TOKEN_FIELDS = 'id name creationDate lastActivity expirationDate scope runtimeIds'

export function apiTokensTable(tokens: readonly ApiToken[]): string {
  const rows = tokens.map((found) => [
    found.id,
    found.name,
    found.scope,
    found.runtimeIds?.join(' ') ?? 'all',
    found.lastActivity ?? 'never',
    found.expirationDate,
  ])
  return table(['ID', 'NAME', 'SCOPE', 'RUNTIMES', 'LAST USED', 'ENDS'], rows, 'No API tokens.')
}
