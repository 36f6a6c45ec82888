/** Conditions of those who decide by what they have seen: whoever was faster is told, and nothing is replaced unseen. */
import { KreError } from '@kre/contracts'
import type { AccessLevel, Grant, Settings, User } from '@kre/store'
import { quoted } from '../text.ts'

/** Longest list that a message repeats, in characters. */
const TOLD_CHARS_MAX = 300

/** @throws KreError `aborted` when one of the users has other grants than the expected ones, in whatever order. */
export function refuseOtherGrants(users: readonly User[], expected: readonly Grant[]): void {
  const wanted = grantsText(expected)
  for (const { email, grants } of users) {
    const found = grantsText(grants)
    if (found !== wanted)
      throw overtaken(`user ${quoted(email)} has`, `the grants ${told(found)}`, told(wanted), {
        reason: 'OTHER_GRANTS',
        user: email,
      })
  }
}

/** @throws KreError `aborted` when one of the users has another level on all runtimes; null = none. */
export function refuseOtherLevel(users: readonly User[], expected: AccessLevel | null): void {
  for (const { email, accessLevel } of users)
    if (accessLevel !== expected)
      throw overtaken(
        `user ${quoted(email)} has`,
        `the level ${accessLevel ?? 'none'}`,
        expected ?? 'none',
        { reason: 'OTHER_LEVEL', user: email },
      )
}

/** @param expected settings that must still be so; one that is not named may be anything. @throws KreError `aborted`. */
export function refuseOtherSettings(found: Settings, expected: Partial<Settings>): void {
  const { authAllowedDomains: domains, sessionLifetimeInDays: days } = expected
  if (domains !== undefined) {
    const [is, was] = [listText(found.authAllowedDomains), listText(domains)]
    if (is !== was)
      throw overtaken('the engine has', `the allowed domains ${told(is)}`, told(was), {
        reason: 'OTHER_SETTINGS',
        field: 'authAllowedDomains',
      })
  }
  if (days !== undefined && days !== found.sessionLifetimeInDays)
    throw overtaken(
      'the engine has',
      `a session lifetime of ${found.sessionLifetimeInDays} days`,
      `${days}`,
      { reason: 'OTHER_SETTINGS', field: 'sessionLifetimeInDays' },
    )
}

function overtaken(
  who: string,
  what: string,
  expected: string,
  details: Record<string, string>,
): KreError {
  return new KreError(
    'aborted',
    `${who} ${what} by now, where ${expected} was expected: somebody was faster; look again and decide anew`,
    details,
  )
}

function grantsText(grants: readonly Grant[]): string {
  return listText(grants.map(({ runtimeId, accessLevel }) => `${runtimeId}=${accessLevel}`))
}

function listText(items: readonly string[]): string {
  return items.length === 0 ? 'none' : [...new Set(items)].toSorted().join(' ')
}

function told(list: string): string {
  return list.length > TOLD_CHARS_MAX ? `${list.slice(0, TOLD_CHARS_MAX)}…` : list
}
