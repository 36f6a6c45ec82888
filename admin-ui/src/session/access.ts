import type { AccessLevel } from '../gen/documents.ts'
import type { SignedIn } from './session.ts'

/** As in the engine: each level has the rights of those before it. */
const ORDER: readonly AccessLevel[] = ['VIEWER', 'MANAGER', 'ADMIN']

type Rights = Pick<SignedIn, 'globalAccessLevel' | 'grants'>

/**
 * Whether controls are shown. The engine decides again at every request; this only keeps what it would refuse out of
 * sight.
 *
 * @param runtimeId null = on the engine as a whole.
 */
export function hasLevel(me: Rights, lowest: AccessLevel, runtimeId: string | null): boolean {
  const grant = me.grants?.find((candidate) => candidate.runtimeId === runtimeId)?.accessLevel
  return [me.globalAccessLevel, grant].some(
    (level) =>
      level !== null && level !== undefined && ORDER.indexOf(level) >= ORDER.indexOf(lowest),
  )
}

/** Of several sources of rights the highest counts; null = none of them gives any. */
export function highestLevel(levels: readonly (AccessLevel | null)[]): AccessLevel | null {
  return ORDER.findLast((level) => levels.includes(level)) ?? null
}
