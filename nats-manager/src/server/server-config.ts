import { engineClaims, systemClaims } from '../accounts/plan-accounts.ts'
import { type AccountClaims, accountJwt, operatorJwt } from '../keys/jwt.ts'
import { keyPairFromSeed } from '../keys/nkey.ts'
import type { ServerKeys } from './server-keys.ts'

/** Largest message, in bytes: payloads travel inline up to it. The server itself advises against more than 8 MiB. */
export const NATS_PAYLOAD_BYTES_MAX = 8 * 1024 * 1024

/** Of all streams together, with what they may take and don't. */
const FILE_STORE_BYTES = 64 * 1024 ** 4

/** What every server of KRE says besides where it listens, in the format of its configuration file. */
export type CommonConfig = {
  storeDir: string
  /** Where the server keeps the accounts of runtimes and versions, which come and go while it runs. */
  accountsDir: string
  keys: ServerKeys
  /** Of the accounts that the file brings, in Unix seconds: a server keeps the newer of two JWTs. Now by default. */
  issuedAt?: number
}

/**
 * Configuration file of a laptop's nats-server: loopback only, JetStream in `storeDir`, accounts by the operator's
 * signature.
 */
export function serverConfig({ port, ...common }: CommonConfig & { port: number }): string {
  return `# Written by KRE at each start. Changes are lost.
host: "127.0.0.1"
port: ${port}
${commonConfig(common)}`
}

/** Limits, JetStream, and the accounts that are there from the start. */
export function commonConfig({ storeDir, accountsDir, keys, issuedAt }: CommonConfig): string {
  const operator = keyPairFromSeed('operator', keys.operator)
  const system = keyPairFromSeed('account', keys.system).publicKey
  const engine = keyPairFromSeed('account', keys.engine).publicKey
  // JSON strings are valid in this format, whatever a path holds.
  const text = (value: string) => JSON.stringify(value)
  const account = (key: string, name: string, claims: AccountClaims) =>
    `${key}: ${text(accountJwt(operator, key, name, claims, issuedAt))}`
  return `max_payload: ${NATS_PAYLOAD_BYTES_MAX}
# Who connects sends all that he may do with it: a process of many nodes has more to say than the 4 KiB of the default.
max_control_line: ${64 * 1024}
# A reader that falls behind by this much is cut off instead of growing the server.
max_pending: ${64 * 1024 * 1024}
write_deadline: "10s"
jetstream {
  store_dir: ${text(storeDir)}
  max_memory_store: ${64 * 1024 * 1024}
  # The most that each stream may take is set aside of this, and few ever take it. By default this is what the disk
  # has free, and some dozen runtimes are all that it has room for.
  max_file_store: ${FILE_STORE_BYTES}
}
operator: ${text(operatorJwt(operator, system))}
system_account: ${system}
resolver {
  type: full
  dir: ${text(accountsDir)}
  allow_delete: true
  hard_delete: true
}
resolver_preload {
  ${account(system, 'system', systemClaims())}
  ${account(engine, 'engine', engineClaims())}
}
`
}
