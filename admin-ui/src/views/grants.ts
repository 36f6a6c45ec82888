/** Levels on single runtimes, as they are changed and as they are said. Pure. */
import type { AccessLevel } from '../gen/documents.ts'
import { shellWord } from '../ui/shell-word.ts'

export type Grant = { readonly runtimeId: string; readonly accessLevel: AccessLevel }

/** An administrator is one of the whole engine. */
export const GRANT_LEVELS = ['VIEWER', 'MANAGER'] as const satisfies readonly AccessLevel[]

/** The grants with another level on one runtime; null takes it away. The others stay, and their order. */
export function withGrant(
  grants: readonly Grant[],
  runtimeId: string,
  accessLevel: AccessLevel | null,
): readonly Grant[] {
  const isThere = grants.some((grant) => grant.runtimeId === runtimeId)
  if (accessLevel === null) return grants.filter((grant) => grant.runtimeId !== runtimeId)
  if (!isThere) return [...grants, { runtimeId, accessLevel }]
  return grants.map((grant) => (grant.runtimeId === runtimeId ? { runtimeId, accessLevel } : grant))
}

export function levelOn(grants: readonly Grant[], runtimeId: string): AccessLevel | null {
  return grants.find((grant) => grant.runtimeId === runtimeId)?.accessLevel ?? null
}

/** The same by the command line: it names all grants, as the API does. */
export function grantTwin(email: string, grants: readonly Grant[], comment: string): string {
  const pairs = grants.map(({ runtimeId, accessLevel }) =>
    shellWord(`${runtimeId}=${accessLevel.toLowerCase()}`),
  )
  const why = comment.trim()
  return [
    'krectl user grant',
    shellWord(email),
    ...pairs,
    ...(why === '' ? [] : ['--comment', shellWord(why)]),
  ].join(' ')
}
