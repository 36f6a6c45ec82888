import { setTimeout as sleep } from 'node:timers/promises'
import { type KreError, type NatsTls, SECOND_MS, toKreError } from '@kre/contracts'
import { lookAtNats, type NatsLook } from '@kre/service-kit/nats-tls'

const PAUSE_MS = 1 * SECOND_MS

/**
 * Waits until one of the servers answers, as the client would, but says why it waits, and does not wait for what only
 * other settings can change.
 *
 * @param tls as the files are now; null = without TLS, unless the servers want it.
 * @throws KreError `failed-precondition` where TLS stands in the way at each server that answers.
 */
export async function untilNatsAnswers(
  servers: readonly string[],
  tls: () => NatsTls | null,
  say: (text: string) => void,
): Promise<NatsLook> {
  let said = ''
  for (;;) {
    const failures: KreError[] = []
    for (const server of servers) {
      try {
        return await lookAtNats(server, tls())
      } catch (error) {
        failures.push(toKreError(error))
      }
    }
    const blocked = failures.find(({ code }) => code !== 'unavailable')
    if (blocked !== undefined) throw blocked
    const why = failures.map(({ message }) => message).join('; ')
    if (why !== said) say(`waiting for NATS: ${why}`)
    said = why
    await sleep(PAUSE_MS)
  }
}
