import { KreError } from '@kre/contracts'

export type AccessLevel = 'VIEWER' | 'MANAGER' | 'ADMIN'

/** Who is asking. Made by the authenticator alone. */
export type Principal = {
  readonly email: string
  readonly accessLevel: AccessLevel
  /** Hash of the login's token; null for the development token. */
  readonly loginHash: string | null
}

/** The one user of a local engine. */
export const LOCAL_OWNER = 'dev@local.local'

const LEVELS = ['VIEWER', 'MANAGER', 'ADMIN'] as const

/** The lowest level that may do it (admin-api, access levels). */
const LOWEST_LEVEL = {
  'view runtimes': 'VIEWER',
  'view versions': 'VIEWER',
  'view logs': 'VIEWER',
  'edit versions': 'MANAGER',
  'edit runtimes': 'MANAGER',
  'view engine': 'ADMIN',
} as const satisfies Record<string, AccessLevel>

export type Action = keyof typeof LOWEST_LEVEL

/** @throws KreError `permission-denied`: `you are not allowed to <act> <resource>`. */
export function authorize(principal: Principal, action: Action): void {
  if (LEVELS.indexOf(principal.accessLevel) >= LEVELS.indexOf(LOWEST_LEVEL[action])) return
  throw new KreError('permission-denied', `you are not allowed to ${action}`, {
    accessLevel: principal.accessLevel,
  })
}
