/**
 * Who may use the engine, as ports. E-mail addresses are in lower case, always: whoever calls made them so.
 * Of tokens, links and codes only keyed hashes come here. Dates are exact to the millisecond.
 */

export const ACCESS_LEVELS = ['VIEWER', 'MANAGER', 'ADMIN'] as const
/** From the lowest to the highest; each may do what the ones before it may. */
export type AccessLevel = (typeof ACCESS_LEVELS)[number]

/** A level on one runtime. ADMIN is a level of the whole engine, so it is never granted on a runtime. */
export type Grant = { runtimeId: string; accessLevel: Exclude<AccessLevel, 'ADMIN'> }

export type User = {
  /** Identifies the user for ever. */
  email: string
  /** Level on every runtime; null = only what `grants` says. */
  accessLevel: AccessLevel | null
  /** By runtime id, one per runtime. */
  grants: readonly Grant[]
  createdAt: Date
  /** Last request, exact to about a minute; null = never signed in. */
  lastActivityAt: Date | null
  /** Removed users keep their row, so that what they did keeps its author. */
  removedAt: Date | null
}

export interface UserStore {
  /**
   * Makes the user. One who was removed comes back with the given level and grants, never with earlier ones, nor with
   * logins, links or API tokens, should a sign-in have raced with the removal.
   *
   * @throws KreError `already-exists` (`there is already a user with the same email`): exactly one of parallel calls
   * wins; `not-found` when a grant names a runtime that isn't there.
   */
  create(user: Pick<User, 'email' | 'accessLevel' | 'grants' | 'createdAt'>): Promise<void>
  /** Also a removed one. */
  find(email: string): Promise<User | null>
  /** Without the removed ones, by e-mail. */
  list(): Promise<User[]>
  /**
   * @throws KreError `not-found` when there is no such user or it was removed, `failed-precondition` with
   * `details.reason` LAST_ADMIN when no ADMIN would be left; then nothing changed, also when two of these race.
   */
  setLevel(email: string, accessLevel: AccessLevel | null): Promise<void>
  /** Replaces all grants. Deleting a runtime deletes the grants on it. @throws KreError `not-found` (user or runtime). */
  setGrants(email: string, grants: readonly Grant[]): Promise<void>
  /** Takes grants, logins, links and API tokens of the user away with it. @throws KreError as `setLevel`. */
  remove(email: string, at: Date): Promise<void>
  /** Writes `lastActivityAt`; never sets it back. Unknown users are fine. */
  touch(email: string, at: Date): Promise<void>
}

export const LOGIN_METHODS = ['link', 'oidc', 'api-token'] as const
export type LoginMethod = (typeof LOGIN_METHODS)[number]

export type Login = {
  /** Unique and public: for lists and revoking; it says nothing about the token. */
  id: string
  tokenHash: string
  user: string
  method: LoginMethod
  /** The API token it was exchanged for: it has that token's rights and ends with it. */
  apiTokenId: string | null
  /** What the browser called itself, cut short; empty = nothing. */
  userAgent: string
  createdAt: Date
  /** Absolute end. */
  expiresAt: Date
  /** Last request, exact to about a minute. */
  usedAt: Date
}

export interface LoginStore {
  /** Expired logins go when new ones come. @throws KreError `already-exists` for the id or the hash. */
  create(login: Login): Promise<void>
  /** Null = unknown or expired at `now`. */
  find(tokenHash: string, now: Date): Promise<Login | null>
  /** Those of a user that live at `now`, newest first. */
  list(user: string, now: Date): Promise<Login[]>
  /** Writes `usedAt`; never sets it back. Unknown logins are fine. */
  touch(tokenHash: string, at: Date): Promise<void>
  /** Removing what is not there is fine, here and below. */
  remove(tokenHash: string): Promise<void>
  /** @param user null = whoever's. @returns the login as it was; null = there is none of this user's. */
  removeById(id: string, user: string | null): Promise<Login | null>
  /** Ends all logins of the user; returns how many. */
  removeAll(user: string): Promise<number>
}

/** An open way to sign in, used once. */
export type SignInLink = {
  linkHash: string
  user: string
  /** Of the secret in the browser that asked: that browser alone may use the link. Null = any browser. */
  browserHash: string | null
  /** Of the code that lets any other browser use it; null = no code does. */
  codeHash: string | null
  /** Wrong codes that may still come; at 0 the link is void. */
  codeTries: number
  expiresAt: Date
}

/** What the user of a link proves beside having it. */
export type LinkProof = { browserHash: string | null; codeHash: string | null }
/** `refused`: the link lives, the proof is wrong and one of its tries is used. `void`: unknown, used, or expired. */
export type LinkUse =
  | { outcome: 'used'; user: string }
  | { outcome: 'refused' }
  | { outcome: 'void' }

export interface SignInLinkStore {
  /** Expired links go when new ones come. @throws KreError `already-exists`. */
  create(link: SignInLink, now: Date): Promise<void>
  /** Without using it. Null = unknown, used, or expired at `now`. */
  find(linkHash: string, now: Date): Promise<SignInLink | null>
  /**
   * Uses the link when it is bound to no browser, or its browser or its code is the proof's: one atomic step, so that
   * exactly one of parallel calls gets `used`. Null in the proof matches nothing.
   */
  use(linkHash: string, proof: LinkProof, now: Date): Promise<LinkUse>
  /** All links of a user. */
  removeOf(user: string): Promise<void>
}

/** `read`: what a VIEWER may, wherever its owner is one or more. `full`: what its owner may. */
export type ApiTokenScope = 'read' | 'full'

export type ApiToken = {
  /** Unique and public; part of the token itself. */
  id: string
  user: string
  /** Unique among the tokens of the user. */
  name: string
  tokenHash: string
  scope: ApiTokenScope
  /** The only runtimes it is good for; null = all of its owner's. */
  runtimeIds: readonly string[] | null
  createdAt: Date
  expiresAt: Date
  /** Exact to about a minute; null = never. */
  usedAt: Date | null
}

export interface ApiTokenStore {
  /** @throws KreError `already-exists`: `API Token name duplicated`; of parallel calls with one name exactly one wins. */
  create(token: ApiToken): Promise<void>
  /** Also an expired one. */
  find(id: string): Promise<ApiToken | null>
  /** Oldest first, also expired ones. */
  list(user: string): Promise<ApiToken[]>
  /** Writes `usedAt`; never sets it back. Unknown tokens are fine. */
  touch(id: string, at: Date): Promise<void>
  /** Ends the logins that were got with it, too. @param user null = whoever's. @returns the token as it was. */
  remove(id: string, user: string | null): Promise<ApiToken | null>
}

export type Settings = {
  /** Domains whose addresses may sign in without being invited, in lower case; empty = nobody new. */
  authAllowedDomains: readonly string[]
  sessionLifetimeInDays: number
}
/** In force until they are set for the first time. */
export const DEFAULT_SETTINGS: Settings = { authAllowedDomains: [], sessionLifetimeInDays: 30 }

export interface SettingsStore {
  /** @throws KreError when the store can't answer; it never answers with defaults instead. */
  get(): Promise<Settings>
  /** Sets the given fields, leaves the others, in one step. @returns what was before and what is now. */
  set(change: Partial<Settings>): Promise<{ before: Settings; after: Settings }>
}

export interface AttemptStore {
  /**
   * Adds one to the counter `key`, which begins at 1 and is forgotten at `expiresAt` of the call that began it.
   * Atomic. Expired counters go when new ones come, and of live ones the store keeps `ATTEMPT_COUNTERS_MAX`,
   * those that began last.
   *
   * @param key 1 to 300 characters.
   * @returns the counter after adding, and when it is forgotten.
   */
  add(key: string, expiresAt: Date, now: Date): Promise<{ count: number; expiresAt: Date }>
}
/** So that a flood of addresses fills no disk. */
export const ATTEMPT_COUNTERS_MAX = 10_000

export type IdentityStore = {
  users: UserStore
  logins: LoginStore
  links: SignInLinkStore
  apiTokens: ApiTokenStore
  settings: SettingsStore
  attempts: AttemptStore
}
