import { DAY_MS, KreError } from '@kre/contracts'
import type { ApiToken, ApiTokenScope } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { legalText } from '../legal-text.ts'
import { authorize, isAllowed, runtimeMissing, sees, type Principal } from '../principal.ts'
import type { HashToken } from '../sign-in/tokens.ts'
import { quoted } from '../text.ts'
import { createApiToken } from './api-token-text.ts'

type ApiTokensDeps = Pick<FeatureDeps, 'identity' | 'runtimes' | 'now' | 'lock'>

const NAME_CHARS_MAX = 100
const LIFETIME_DAYS_MAX = 365
/** Tokens of one user. */
const TOKENS_MAX = 100
const RUNTIMES_MAX = 200

export type GenerateApiToken = {
  principal: Principal
  name: string
  scope: ApiTokenScope
  /** Null = all runtimes that the owner may see, now and later. */
  runtimeIds: readonly string[] | null
  expiresInDays: number
}

/** The API tokens of a user, oldest first: one's own, or for administrators anybody's. Never the secrets. */
export function listApiTokens(
  { identity }: Pick<ApiTokensDeps, 'identity'>,
  { principal, email }: { principal: Principal; email: string },
): Promise<ApiToken[]> {
  authorize(principal, email === principal.email ? 'view API tokens' : 'view users')
  return identity.apiTokens.list(email)
}

/**
 * Makes an API token of the caller.
 *
 * @returns the token, which is not kept and can't be shown again.
 * @throws KreError `already-exists` (`API Token name duplicated`), `invalid-argument`, `not-found` for a runtime,
 * `resource-exhausted` for more tokens than a user may have.
 */
export async function generateApiToken(
  deps: ApiTokensDeps & { hashToken: HashToken },
  command: GenerateApiToken,
): Promise<string> {
  const { principal, scope, expiresInDays } = command
  authorize(principal, 'edit API tokens')
  const name = legalText(command.name, {
    charsMax: NAME_CHARS_MAX,
    lines: false,
    invalid: (what) => invalid('name', what),
  })
  if (!Number.isInteger(expiresInDays) || expiresInDays < 1 || expiresInDays > LIFETIME_DAYS_MAX)
    throw invalid('expiresInDays', `it is ${expiresInDays}: use 1 to ${LIFETIME_DAYS_MAX}`)
  const runtimeIds = command.runtimeIds === null ? null : [...new Set(command.runtimeIds)]
  await requireRuntimes(deps, principal, runtimeIds)
  return deps.lock(`api-tokens/${principal.email}`, async () => {
    const { length } = await deps.identity.apiTokens.list(principal.email)
    if (length >= TOKENS_MAX)
      throw new KreError(
        'resource-exhausted',
        `you have ${length} API tokens: delete one that is not used any more`,
      )
    const { id, token } = createApiToken()
    const createdAt = deps.now()
    await deps.identity.apiTokens.create({
      id,
      user: principal.email,
      name,
      tokenHash: deps.hashToken(token),
      scope,
      runtimeIds,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + expiresInDays * DAY_MS),
      usedAt: null,
    })
    return token
  })
}

/**
 * Deletes an API token, and ends the logins that were got with it: one's own, or for administrators anybody's.
 *
 * @throws KreError `not-found`, also for a token that is somebody else's.
 */
export async function deleteApiToken(
  { identity }: Pick<ApiTokensDeps, 'identity'>,
  { principal, id }: { principal: Principal; id: string },
): Promise<ApiToken> {
  authorize(principal, 'edit API tokens')
  const anybodys = isAllowed(principal, 'edit users', null)
  const token = await identity.apiTokens.remove(id, anybodys ? null : principal.email)
  if (token !== null) return token
  throw new KreError('not-found', `there is no API token ${quoted(id)}`)
}

async function requireRuntimes(
  deps: Pick<ApiTokensDeps, 'runtimes'>,
  principal: Principal,
  runtimeIds: readonly string[] | null,
): Promise<void> {
  if (runtimeIds === null) return
  if (runtimeIds.length === 0 || runtimeIds.length > RUNTIMES_MAX)
    throw invalid(
      'runtimeIds',
      `it names ${runtimeIds.length} runtimes: name 1 to ${RUNTIMES_MAX}, or leave it out`,
    )
  for (const runtimeId of runtimeIds)
    if (!sees(principal, runtimeId) || (await deps.runtimes.find(runtimeId)) === null)
      throw runtimeMissing(runtimeId)
}

function invalid(field: string, what: string): KreError {
  return new KreError('invalid-argument', `the token's ${field} is not legal: ${what}`, { field })
}
