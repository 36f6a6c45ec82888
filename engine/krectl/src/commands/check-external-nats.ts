import { toKreError } from '@kre/contracts'
import type { NatsLook } from '@kre/service-kit/nats-tls'

export type NatsVerdict = { readonly ok: boolean; readonly found: string }

/**
 * What the engine would find at the servers of `KRE_NATS_URL`. One that answers is enough for it; here each one has to.
 *
 * @returns null where none are named, and the engine starts its own one.
 */
export async function checkExternalNats(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<NatsVerdict | null> {
  const servers = (environment['KRE_NATS_URL'] ?? '')
    .split(',')
    .flatMap((server) => server.trim() || [])
  if (servers.length === 0) return null
  const { lookAtNats, NatsTlsEnvironment, natsTlsProblems, natsTlsSettings, readNatsTls } =
    await import('@kre/service-kit/nats-tls')
  const parsed = NatsTlsEnvironment.safeParse(environment)
  const problems = parsed.success
    ? natsTlsProblems(parsed.data, servers).map(({ path, message }) => `${path} ${message}`)
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  if (!parsed.success || problems.length > 0) return { ok: false, found: problems.join('; ') }
  try {
    const settings = natsTlsSettings(parsed.data, servers)
    const tls = settings === null ? null : readNatsTls(settings, 'engine')
    const looks = await Promise.all(
      servers.map(async (server) => lookAtNats(server, tls).then(say)),
    )
    return { ok: true, found: looks.join('; ') }
  } catch (error) {
    return { ok: false, found: toKreError(error).message }
  }
}

function say({ address, version, tls }: NatsLook): string {
  const how =
    tls === null
      ? 'in plain text'
      : `${tls.protocol}, certificate for ${tls.subject} until ${tls.validTo.slice(0, 10)}`
  return `nats-server ${version} at ${address}: ${how}`
}
