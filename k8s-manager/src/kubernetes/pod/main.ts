/** The first program of a pod: `POD_UID` names the pod; exits with 0 when its process can start. */
import { KreError, SECOND_MS, toKreError, type NatsAccess } from '@kre/contracts/pod'
import { pickEnvironment } from '../../local/pick-environment.ts'
import { POD } from '../pod-layout.ts'
import { preparePod } from './prepare-pod.ts'

/** The client tries for ever; a pod that says why it does not start helps more. */
const CONNECT_TIMEOUT_MS = 30 * SECOND_MS

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())
try {
  await preparePod({
    folders: POD,
    uid: process.env['POD_UID'] ?? '',
    python: 'python3',
    env: pickEnvironment(process.env).forPip,
    connect,
    // An entrypoint needs neither these nor NATS: loading both takes longer than all that is done for it.
    tools: {
      extractBundle: async (...of) => (await import('@kre/bundle/extract')).extractBundle(...of),
      writePythonModules: async (...of) =>
        (await import('@kre/bundle/python-modules')).writePythonModules(...of),
    },
    signal: stop.signal,
  })
} catch (error) {
  process.stderr.write(`${toKreError(error).message}\n`)
  process.exit(1)
}

async function connect(access: NatsAccess) {
  const { connectNats } = await import('@kre/service-kit/nats')
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => void unreachable(access).then(late.reject), CONNECT_TIMEOUT_MS)
  try {
    const connection = await Promise.race([connectNats(access, 'kre-prepare'), late.promise])
    return {
      request: connection.request.bind(connection),
      [Symbol.asyncDispose]: async () => connection.close(),
    }
  } finally {
    clearTimeout(timer)
  }
}

/** What the client does not say: whether a server is there, and whether TLS stands in the way. */
async function unreachable({ servers, tls }: NatsAccess): Promise<KreError> {
  const { lookAtNats } = await import('@kre/service-kit/nats-tls')
  const looks = servers.map(async (server) =>
    lookAtNats(server, tls ?? null).then(
      ({ address }) => `${address} answers`,
      (error: unknown) => toKreError(error).message,
    ),
  )
  const found = (await Promise.all(looks)).join('; ')
  return new KreError(
    'unavailable',
    `NATS lets the pod in not within ${CONNECT_TIMEOUT_MS / SECOND_MS} s (${found}): check natsServers, the NetworkPolicy (network.nats), and that its server knows the account of the version`,
  )
}
