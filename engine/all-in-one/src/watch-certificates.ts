import { MINUTE_MS, type NatsTls } from '@kre/contracts'
import { lookAtNats, type NatsLook } from '@kre/service-kit/nats-tls'

/** Certificates are good for days at least. */
const LOOK_MS = 10 * MINUTE_MS

/**
 * Until when the servers' certificates are good, as somebody renews them. Looks when it is asked, and answers what it saw
 * before that: who asks again and again, as Prometheus does, learns of a newer certificate, and nobody else pays for it.
 *
 * @param tls as the files are now.
 * @param first what the engine saw when it started.
 * @returns Unix ms of the first end among all servers; null = without TLS.
 */
export function watchCertificates(
  servers: readonly string[],
  tls: () => NatsTls | null,
  first: NatsLook,
  now: () => number = () => performance.now(),
): () => number | null {
  let endsAt = endOf(first)
  let lookedAt = now()
  const look = async () => {
    const looks = await Promise.allSettled(servers.map(async (server) => lookAtNats(server, tls())))
    const ends = looks.flatMap((one) =>
      one.status === 'fulfilled' ? (endOf(one.value) ?? []) : [],
    )
    // A server that is away, or whose certificate is over, says nothing: what it showed before stays.
    if (ends.length > 0) endsAt = Math.min(...ends)
  }
  return () => {
    if (endsAt !== null && now() - lookedAt >= LOOK_MS) {
      lookedAt = now()
      void look()
    }
    return endsAt
  }
}

function endOf({ tls }: NatsLook): number | null {
  return tls === null ? null : Date.parse(tls.validTo)
}
