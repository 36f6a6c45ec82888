/** Where the schema is not what KRE's clients know, with the reason. A test compares it with KRE's, and docs/migration.md shows it. */
export const DEVIATIONS: Readonly<Record<string, string>> = {
  'User.creationDate':
    'null for the owner of the development token, whom nobody created; all others have one',
  'User.apiTokens':
    'null beside an error for those who may not know, so that the rest of the answer survives',
  'User.activeSessions':
    'null beside an error for those who may not know, so that the rest of the answer survives',
}
