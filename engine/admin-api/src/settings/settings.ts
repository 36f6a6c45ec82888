import { KreError } from '@kre/contracts'
import type { Settings } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { EmailDomain } from '../sign-in/email-address.ts'
import { quoted } from '../text.ts'
import { refuseOtherSettings } from '../concurrency/refuse-overtaken.ts'

type SettingsDeps = Pick<FeatureDeps, 'identity'>
type UpdateSettingsDeps = Pick<FeatureDeps, 'identity' | 'lock'>

const DOMAINS_MAX = 200
/** Ten years: more is a slip. */
const LIFETIME_DAYS_MAX = 3_650

export type UpdateSettings = {
  principal: Principal
  /** Null = leave as it is. */
  authAllowedDomains: readonly string[] | null
  sessionLifetimeInDays: number | null
  /** What must still be so; null or absent = whatever it is. */
  ifAuthAllowedDomains?: readonly string[] | null | undefined
  ifSessionLifetimeInDays?: number | null | undefined
}

export async function readSettings(
  { identity }: SettingsDeps,
  { principal }: { principal: Principal },
): Promise<Settings> {
  authorize(principal, 'view settings')
  return identity.settings.get()
}

/** @throws KreError `invalid-argument` with the field and its rule, `aborted` when a setting is another one by now. */
export async function updateSettings(
  { identity, lock }: UpdateSettingsDeps,
  command: UpdateSettings,
): Promise<Settings> {
  const { authAllowedDomains, sessionLifetimeInDays } = command
  authorize(command.principal, 'edit settings')
  const change: Partial<Settings> = {
    ...(authAllowedDomains === null
      ? {}
      : { authAllowedDomains: checkDomains(authAllowedDomains) }),
    ...(sessionLifetimeInDays === null
      ? {}
      : { sessionLifetimeInDays: checkLifetime(sessionLifetimeInDays) }),
  }
  const expected: Partial<Settings> = {
    ...(command.ifAuthAllowedDomains
      ? { authAllowedDomains: checkDomains(command.ifAuthAllowedDomains) }
      : {}),
    ...(typeof command.ifSessionLifetimeInDays === 'number'
      ? { sessionLifetimeInDays: command.ifSessionLifetimeInDays }
      : {}),
  }
  return lock('settings', async () => {
    refuseOtherSettings(await identity.settings.get(), expected)
    return (await identity.settings.set(change)).after
  })
}

function checkDomains(domains: readonly string[]): string[] {
  if (domains.length > DOMAINS_MAX)
    throw invalid(
      'authAllowedDomains',
      `there are ${domains.length} domains: use at most ${DOMAINS_MAX}`,
    )
  const checked = domains.map((text) => {
    const parsed = EmailDomain.safeParse(text)
    if (parsed.success) return parsed.data
    throw invalid('authAllowedDomains', `${quoted(text)}: ${parsed.error.issues[0]?.message}`)
  })
  return [...new Set(checked)]
}

function checkLifetime(days: number): number {
  if (Number.isInteger(days) && days >= 1 && days <= LIFETIME_DAYS_MAX) return days
  throw invalid('sessionLifetimeInDays', `it is ${days}: use 1 to ${LIFETIME_DAYS_MAX}`)
}

function invalid(field: string, what: string): KreError {
  return new KreError('invalid-argument', `the setting ${field} is not legal: ${what}`, { field })
}
