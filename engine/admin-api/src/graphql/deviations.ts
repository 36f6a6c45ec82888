/** Where the schema is not what KRE's clients know, with the reason. A test compares it with KRE's, and docs/migration.md shows it. */
export const DEVIATIONS: Readonly<Record<string, string>> = {
  'Runtime.measurementsUrl':
    'there is no Chronograf to lead to: `traffic`, `measurements` and `GET /metrics` have the numbers',
  'Runtime.databaseUrl':
    'there is no database browser to lead to: what nodes stored is read by `ctx.db` and with tools of the store',
  'User.creationDate':
    'null for the owner of the development token, whom nobody created; all others have one',
  'User.apiTokens':
    'null beside an error for those who may not know, so that the rest of the answer survives',
  'User.activeSessions':
    'null beside an error for those who may not know, so that the rest of the answer survives',
}
