/** Answers a cluster's probes over HTTP, on a port of its own. User code that blocks the process makes it silent. */
import { KreError } from '@kre/contracts/runtime'

export type HealthDoor = {
  /** What `/readyz` answers from now on; before the first call: no. */
  setReady(isReady: boolean): void
  close(): void
}

/** Names the port; absent = nobody asks. */
const PORT_VARIABLE = 'KRE_HEALTH_PORT'

/**
 * `/healthz` answers 200 as long as the process can; `/readyz` 200 or 503.
 *
 * @returns null where nobody asks.
 * @throws KreError `failed-precondition` when the port is no port, or taken.
 */
export async function openHealthDoor(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<HealthDoor | null> {
  const text = environment[PORT_VARIABLE] ?? ''
  if (text === '') return null
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new KreError(
      'failed-precondition',
      `${PORT_VARIABLE}="${text}" is no port: use 1 to 65535`,
    )
  // Loaded only where it is wanted.
  const { createServer } = await import('node:http')
  let isReady = false
  const server = createServer((request, response) => {
    const isFound = request.url === '/healthz' || request.url === '/readyz'
    const isOk = request.url === '/healthz' || isReady
    response.statusCode = isFound ? (isOk ? 200 : 503) : 404
    response.setHeader('content-type', 'text/plain')
    response.end(isFound ? (isOk ? 'ok\n' : 'not ready\n') : 'not found\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new KreError('failed-precondition', `port ${port} of ${PORT_VARIABLE}: ${error.message}`),
      ),
    )
    server.listen(port, resolve)
  })
  // The process ends when its work is over, whoever still asks.
  server.unref()
  return {
    setReady: (value) => void (isReady = value),
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
