/**
 * Accounts and credentials of the processes that the engine runs: an account per runtime for its entrypoints, one per
 * version for its nodes as long as it has processes, and a user per process whose credentials expire.
 */
import { createHash } from 'node:crypto'
import type { NatsConnection } from '@nats-io/transport-node'
import {
  entrypointInbox,
  KreError,
  type NatsAccess,
  type NatsVersion,
  nodeInbox,
  SECOND_MS,
  type Workload,
} from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import type { NatsTlsSource } from '@kre/service-kit/nats-tls'
import { type AccountClaims, accountJwt } from '../keys/jwt.ts'
import { createKeyPair, keyPairFromSeed } from '../keys/nkey.ts'
import type { ServerKeys } from '../server/server-keys.ts'
import { type AccountBook, type BookedAccount, type BookedRuntime } from './account-book.ts'
import { type AccountServer, openAccountServer } from './account-server.ts'
import { createCredentials } from './create-credentials.ts'
import { createServerClock } from './server-clock.ts'
import { entrypointPermissions, nodePermissions } from './permissions.ts'
import { engineClaims, runtimeClaims, versionClaims } from './plan-accounts.ts'

/** A process that is started before the first pass of convergence waits so long for its account. */
const ACCOUNT_WAIT_MS = 30 * SECOND_MS

export type NatsAccounts = {
  /** Gives the runtime and each version with processes an account, and takes it from the others. */
  converge(runtimeId: string, versions: readonly NatsVersion[]): Promise<void>
  removeRuntime(runtimeId: string): Promise<void>
  /**
   * New credentials for a process of the workload.
   *
   * @throws KreError `unavailable` when its account has not been made.
   */
  access(workload: Workload): Promise<NatsAccess>
  /** Another text whenever processes need other certificates than before, so that they get them at once. */
  certificates(): string
}

export type NatsAccountsDeps = {
  /** A connection of the system account. */
  system: NatsConnection
  servers: readonly string[]
  keys: ServerKeys
  book: AccountBook
  /** Whether the server has no accounts but ours: what nobody knows any more is removed from it. */
  ownsServer: boolean
  /** How long credentials are good, in ms. */
  credentialsMs: number
  /** Certificates of processes; null = there are none. */
  tls: NatsTlsSource | null
}

/** Opens them and removes accounts that nobody knows any more. @throws KreError `unavailable`. */
export async function openNatsAccounts(deps: NatsAccountsDeps): Promise<NatsAccounts> {
  const { keys, book } = deps
  const operator = keyPairFromSeed('operator', keys.operator)
  const engine = keyPairFromSeed('account', keys.engine)
  const server = openAccountServer(deps.system, operator)
  const serverNow = createServerClock(deps.system)

  const put = async (name: string, account: BookedAccount, claims: AccountClaims) => {
    const digest = digestOf(claims)
    if (account.claims === digest) return account
    const issuedAt = Math.max(Math.floor(Date.now() / 1_000), account.issuedAt + 1)
    const jwt = accountJwt(operator, account.publicKey, name, claims, issuedAt)
    await server.put(account.publicKey, jwt)
    return { ...account, claims: digest, issuedAt }
  }
  await tidyUp(server, deps, put)

  return {
    async converge(runtimeId, versions) {
      const before = await book.read(runtimeId)
      const kept = versions.filter((version) => version.wanted || version.isDraining === true)
      const runtime: BookedRuntime = {
        account: before?.account ?? newAccount(),
        versions: Object.fromEntries(
          kept.map(({ version }) => [version, before?.versions[version] ?? newAccount()]),
        ),
      }
      // On record before the server knows them: what is not on record is removed by the next engine.
      if (isNew(before, runtime)) await book.write(runtimeId, runtime)
      const { publicKey } = runtime.account
      const accounts = new Map(kept.map(({ version }) => [version, accountOf(runtime, version)]))
      // The runtime's comes first, or a version's would import from nobody. Then that with the version's.
      if (runtime.account.claims === '')
        runtime.account = await put(runtimeId, runtime.account, {
          ...runtimeClaims(runtimeId, engine.publicKey, new Map()),
        })
      for (const version of kept) {
        const claims = versionClaims(runtimeId, version, {
          engine: engine.publicKey,
          runtime: publicKey,
        })
        const name = `${runtimeId}.${version.version}`
        runtime.versions[version.version] = await put(
          name,
          accountOf(runtime, version.version),
          claims,
        )
      }
      const publicKeys = new Map([...accounts].map(([name, account]) => [name, account.publicKey]))
      runtime.account = await put(
        runtimeId,
        runtime.account,
        runtimeClaims(runtimeId, engine.publicKey, publicKeys),
      )
      const gone = Object.entries(before?.versions ?? {}).filter(([name]) => !accounts.has(name))
      await server.remove(gone.map(([, account]) => account.publicKey))
      if (JSON.stringify(runtime) !== JSON.stringify(before)) await book.write(runtimeId, runtime)
    },
    async removeRuntime(runtimeId) {
      const runtime = await book.read(runtimeId)
      if (runtime === null) return
      const all = [runtime.account, ...Object.values(runtime.versions)]
      await server.remove(all.map(({ publicKey }) => publicKey))
      await book.write(runtimeId, null)
    },
    async access({ id, runtimeId, version, spec }) {
      const account = await waitForAccount(book, runtimeId, spec.kind === 'node' ? version : null)
      const isNode = spec.kind === 'node'
      const credentials = createCredentials(
        account.seed,
        id,
        isNode ? nodePermissions(spec) : entrypointPermissions(spec),
        {
          expiresUnixMs: Date.now() + deps.credentialsMs,
          serverExpiresUnixMs: (await serverNow()) + deps.credentialsMs,
        },
      )
      const inboxPrefix = isNode ? nodeInbox(spec) : entrypointInbox(runtimeId)
      const tls = deps.tls === null ? {} : { tls: deps.tls.versions() }
      const servers = [...deps.servers]
      return { servers, user: '', password: '', credentials, inboxPrefix, ...tls }
    },
    certificates: () => deps.tls?.digest() ?? '',
  }
}

/** What a crash has left, and what this engine's accounts say differently from those of the one before it. */
async function tidyUp(
  server: AccountServer,
  { keys, book, ownsServer }: NatsAccountsDeps,
  put: (name: string, account: BookedAccount, claims: AccountClaims) => Promise<BookedAccount>,
): Promise<void> {
  const engine = keyPairFromSeed('account', keys.engine)
  const { publicKey: system } = keyPairFromSeed('account', keys.system)
  const known = new Set([...(await book.publicKeys()), engine.publicKey, system])
  const listed = new Set(await server.list())
  if (ownsServer) await server.remove([...listed].filter((key) => !known.has(key)))
  const { publicKey, seed } = engine
  const before = { seed, publicKey, ...(await book.engine()) }
  await book.confirm(await put('engine', before, engineClaims()), listed)
}

function newAccount(): BookedAccount {
  const { seed, publicKey } = createKeyPair('account')
  return { seed, publicKey, claims: '', issuedAt: 0 }
}

function accountOf(runtime: BookedRuntime, version: string): BookedAccount {
  const account = runtime.versions[version]
  if (account === undefined) throw new KreError('internal', `version "${version}" has no account`)
  return account
}

function isNew(before: BookedRuntime | null, { versions }: BookedRuntime): boolean {
  return (
    before === null || Object.keys(versions).some((name) => before.versions[name] === undefined)
  )
}

async function waitForAccount(
  book: AccountBook,
  runtimeId: string,
  version: string | null,
): Promise<BookedAccount> {
  const find = async () => {
    const runtime = await book.read(runtimeId)
    const account = version === null ? runtime?.account : runtime?.versions[version]
    return account === undefined || account.claims === '' ? null : account
  }
  const what =
    version === null ? `runtime "${runtimeId}"` : `version "${version}" of "${runtimeId}"`
  try {
    return await waitUntil(`the account of ${what}`, find, { timeoutMs: ACCOUNT_WAIT_MS })
  } catch (error) {
    const text = `${what} has no NATS account yet, so its processes can't connect: the engine's log says why`
    throw new KreError('unavailable', text, {}, { cause: error })
  }
}

function digestOf(claims: AccountClaims): string {
  return createHash('sha256').update(JSON.stringify(claims)).digest('base64url')
}
