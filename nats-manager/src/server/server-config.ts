import { RUNNER_DENIED_SUBJECTS, type Credentials } from '../credentials/credentials.ts'

/** Largest message, in bytes: payloads travel inline up to it. The server itself advises against more than 8 MiB. */
export const NATS_PAYLOAD_BYTES_MAX = 8 * 1024 * 1024

/** Configuration file of a laptop's nats-server: loopback only, two users, JetStream in `storeDir`. */
export function serverConfig(options: {
  port: number
  storeDir: string
  credentials: Credentials
}): string {
  const { engine, runner } = options.credentials
  // JSON strings are valid in this format, whatever a path holds.
  const text = (value: string) => JSON.stringify(value)
  return `# Written by KRE at each start. Changes are lost.
host: "127.0.0.1"
port: ${options.port}
max_payload: ${NATS_PAYLOAD_BYTES_MAX}
# A reader that falls behind by this much is cut off instead of growing the server.
max_pending: ${64 * 1024 * 1024}
write_deadline: "10s"
jetstream {
  store_dir: ${text(options.storeDir)}
  max_memory_store: ${64 * 1024 * 1024}
}
authorization {
  users: [
    { user: ${text(engine.user)}, password: ${text(engine.password)} }
    { user: ${text(runner.user)}, password: ${text(runner.password)}, permissions: { publish: { deny: [${RUNNER_DENIED_SUBJECTS.map(text).join(', ')}] } } }
  ]
}
`
}
