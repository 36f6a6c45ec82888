import { engineClaims, systemClaims } from '../accounts/plan-accounts.ts'
import { accountJwt, operatorJwt } from '../keys/jwt.ts'
import { keyPairFromSeed } from '../keys/nkey.ts'
import type { ServerKeys } from './server-keys.ts'

/** Largest message, in bytes: payloads travel inline up to it. The server itself advises against more than 8 MiB. */
export const NATS_PAYLOAD_BYTES_MAX = 8 * 1024 * 1024

/** Of all streams together, with what they may take and don't. */
const FILE_STORE_BYTES = 64 * 1024 ** 4

/**
 * Configuration file of a laptop's nats-server: loopback only, JetStream in `storeDir`, accounts by the operator's
 * signature. Those of runtimes and versions come and go in `accountsDir` while the server runs.
 */
export function serverConfig(options: {
  port: number
  storeDir: string
  accountsDir: string
  keys: ServerKeys
}): string {
  const operator = keyPairFromSeed('operator', options.keys.operator)
  const system = keyPairFromSeed('account', options.keys.system).publicKey
  const engine = keyPairFromSeed('account', options.keys.engine).publicKey
  // JSON strings are valid in this format, whatever a path holds.
  const text = (value: string) => JSON.stringify(value)
  return `# Written by KRE at each start. Changes are lost.
host: "127.0.0.1"
port: ${options.port}
max_payload: ${NATS_PAYLOAD_BYTES_MAX}
# Who connects sends all that he may do with it: a process of many nodes has more to say than the 4 KiB of the default.
max_control_line: ${64 * 1024}
# A reader that falls behind by this much is cut off instead of growing the server.
max_pending: ${64 * 1024 * 1024}
write_deadline: "10s"
jetstream {
  store_dir: ${text(options.storeDir)}
  max_memory_store: ${64 * 1024 * 1024}
  # The most that each stream may take is set aside of this, and few ever take it. By default this is what the disk
  # has free, and some dozen runtimes are all that it has room for.
  max_file_store: ${FILE_STORE_BYTES}
}
operator: ${text(operatorJwt(operator, system))}
system_account: ${system}
resolver {
  type: full
  dir: ${text(options.accountsDir)}
  allow_delete: true
  hard_delete: true
}
resolver_preload {
  ${system}: ${text(accountJwt(operator, system, 'system', systemClaims()))}
  ${engine}: ${text(accountJwt(operator, engine, 'engine', engineClaims()))}
}
`
}
