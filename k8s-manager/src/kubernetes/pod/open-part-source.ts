/** A pod's way to its bundle: the small client of NATS, because the pod waits until it is loaded. */
import { KreError, type NatsAccess, SECOND_MS, toKreError } from '@kre/contracts/pod'
import { openCoreConnection, openInbox } from '@kre/core-nats'
import type { PartSource } from './fetch-bundle.ts'

/** The connection is tried for ever; a pod that says why it does not start helps more. */
const CONNECT_TIMEOUT_MS = 30 * SECOND_MS

/** @throws KreError `unavailable` that says what to look at. */
export async function openPartSource(
  access: NatsAccess,
  timeoutMs = CONNECT_TIMEOUT_MS,
): Promise<PartSource & AsyncDisposable> {
  const connection = openCoreConnection(access, 'kre-prepare')
  try {
    await connection.whenUp(timeoutMs)
  } catch (error) {
    connection.close()
    throw new KreError(
      'unavailable',
      `NATS does not let the pod in: ${toKreError(error).message}. Check natsServers, the NetworkPolicy (network.nats), and that its server knows the account of the version`,
      {},
      { cause: error },
    )
  }
  const inbox = openInbox(connection)
  return {
    request: async (...question) => inbox.request(...question),
    [Symbol.asyncDispose]: async () => connection.close(),
  }
}
