/** The JWTs by which a NATS server knows operators, accounts and users: JSON that the one above has signed. */
import { createHash } from 'node:crypto'
import { encodeBase32, type KeyPair } from './nkey.ts'

export type Import = {
  readonly name: string
  /** As the exporting account has it. */
  readonly subject: string
  /** Public key of the exporting account. */
  readonly account: string
  readonly type: 'stream' | 'service'
}
export type Export = {
  readonly name: string
  readonly subject: string
  readonly type: 'stream' | 'service'
}
export type Permissions = {
  readonly pub: { readonly allow?: readonly string[]; readonly deny?: readonly string[] }
  readonly sub: { readonly allow?: readonly string[]; readonly deny?: readonly string[] }
}

/** What an account may; -1 = without a limit. */
export type AccountClaims = {
  readonly imports: readonly Import[]
  readonly exports: readonly Export[]
  readonly connectionsMax: number
  /** Whether it may have streams. */
  readonly hasJetStream: boolean
}

const HEADER = encodeJson({ typ: 'JWT', alg: 'ed25519-nkey' })
const VERSION = 2
const UNLIMITED = -1

export function operatorJwt(operator: KeyPair, systemAccount: string): string {
  return issue(operator, operator.publicKey, 'kre', {
    type: 'operator',
    system_account: systemAccount,
  })
}

/** @param issuedAt Unix seconds; a server keeps the newer of two JWTs. Now by default. */
export function accountJwt(
  operator: KeyPair,
  account: string,
  name: string,
  claims: AccountClaims,
  issuedAt?: number,
): string {
  const storage = claims.hasJetStream ? UNLIMITED : 0
  const nats = {
    type: 'account',
    imports: claims.imports,
    exports: claims.exports,
    limits: {
      subs: UNLIMITED,
      data: UNLIMITED,
      payload: UNLIMITED,
      imports: UNLIMITED,
      exports: UNLIMITED,
      wildcards: true,
      conn: claims.connectionsMax,
      leaf: 0,
      mem_storage: storage,
      disk_storage: storage,
      streams: storage,
      consumer: storage,
    },
    default_permissions: { pub: {}, sub: {} },
  }
  return issue(operator, account, name, nats, issuedAt === undefined ? {} : { iat: issuedAt })
}

/** @param expiresUnixMs null = never. */
export function userJwt(
  account: KeyPair,
  user: string,
  name: string,
  permissions: Permissions,
  expiresUnixMs: number | null,
): string {
  const claims = {
    type: 'user',
    ...permissions,
    subs: UNLIMITED,
    data: UNLIMITED,
    payload: UNLIMITED,
  }
  const end = expiresUnixMs === null ? {} : { exp: Math.floor(expiresUnixMs / 1_000) }
  return issue(account, user, name, claims, end)
}

/** Asks the server to forget accounts. */
export function deletionJwt(operator: KeyPair, accounts: readonly string[]): string {
  return issue(operator, operator.publicKey, 'delete', { type: 'generic', accounts })
}

function issue(
  issuer: KeyPair,
  subject: string,
  name: string,
  nats: Readonly<Record<string, unknown>>,
  /** In Unix seconds. */
  times: { readonly iat?: number; readonly exp?: number } = {},
): string {
  const claims = {
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.publicKey,
    name,
    sub: subject,
    ...times,
    nats: { ...nats, version: VERSION },
  }
  const jti = encodeBase32(createHash('sha256').update(JSON.stringify(claims)).digest())
  const signed = `${HEADER}.${encodeJson({ jti, ...claims })}`
  return `${signed}.${issuer.sign(signed).toString('base64url')}`
}

function encodeJson(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
