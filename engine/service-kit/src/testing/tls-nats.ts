import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestAuthority } from './make-certificates.ts'

/** What a server's block `tls` may say besides its own certificate. */
export type TlsServerOptions = {
  /** Of the certificate; the loopback address by default. */
  names?: readonly string[]
  /** When it ends, in ms from now. */
  toMs?: number
  /** More lines: `handshake_first: true`. */
  lines?: string
  /** Whose certificates clients have to show; absent = none. */
  clients?: TestAuthority
}

/** Lines for `startNats` by which a server wants TLS. Its files are in `dir/tls`. */
export function tlsConfig(
  dir: string,
  authority: TestAuthority,
  { names = ['127.0.0.1'], toMs, lines = '', clients }: TlsServerOptions = {},
): string {
  const at = (name: string) => join(dir, 'tls', name)
  mkdirSync(join(dir, 'tls'), { recursive: true })
  const dates = toMs === undefined ? {} : { toMs }
  const { cert, key } = authority.issue('nats', { names, ...dates })
  writeFileSync(at('cert.pem'), cert)
  writeFileSync(at('key.pem'), key)
  if (clients !== undefined) writeFileSync(at('clients.pem'), clients.ca)
  const verify = clients === undefined ? '' : `ca_file: "${at('clients.pem')}", verify: true\n`
  return `tls {
  cert_file: "${at('cert.pem')}"
  key_file: "${at('key.pem')}"
  ${verify}${lines}
}
`
}
