/** How the engine speaks TLS to a NATS that somebody else runs, as its environment says. */
import { resolve } from 'node:path'
import type { NatsTls } from '@kre/contracts'
import { z } from 'zod'
import { readAuthorities, readIdentity, type TlsFile, type TlsIdentity } from './tls-files.ts'

export const NatsTlsEnvironment = z.object({
  KRE_NATS_TLS_CA_FILE: z.string().min(1).optional(),
  KRE_NATS_TLS_CERT_FILE: z.string().min(1).optional(),
  KRE_NATS_TLS_KEY_FILE: z.string().min(1).optional(),
  KRE_NATS_TLS_VERSIONS_CERT_FILE: z.string().min(1).optional(),
  KRE_NATS_TLS_VERSIONS_KEY_FILE: z.string().min(1).optional(),
  KRE_NATS_TLS_SERVER_NAME: z
    .string()
    .max(253)
    .regex(/^[a-zA-Z0-9](?:[-a-zA-Z0-9.]*[a-zA-Z0-9])?$/, 'has to be a host name')
    .optional(),
  KRE_NATS_TLS_HANDSHAKE_FIRST: z.enum(['true', 'false']).default('false'),
})
type Values = z.output<typeof NatsTlsEnvironment>

export type NatsTlsSettings = Readonly<{
  /** Null = the authorities that Node.js trusts. */
  authorities: TlsFile | null
  /** What the engine shows; null = nothing. */
  engine: TlsIdentity | null
  /** What processes of versions show. */
  versions: TlsIdentity | null
  serverName: string | null
  handshakeFirst: boolean
}>

const PAIRS = [
  ['KRE_NATS_TLS_CERT_FILE', 'KRE_NATS_TLS_KEY_FILE'],
  ['KRE_NATS_TLS_VERSIONS_CERT_FILE', 'KRE_NATS_TLS_VERSIONS_KEY_FILE'],
] as const

/** What the variables ask of each other, and of `KRE_NATS_URL`. */
export function natsTlsProblems(
  e: Values,
  servers: readonly string[],
): { path: keyof Values | 'KRE_NATS_URL'; message: string }[] {
  const problems: { path: keyof Values | 'KRE_NATS_URL'; message: string }[] = []
  const names = Object.keys(NatsTlsEnvironment.shape) as (keyof Values)[]
  if (servers.length === 0) {
    for (const path of names.filter((name) => isGiven(e, name)))
      problems.push({
        path,
        message:
          "is about a NATS that somebody else runs (KRE_NATS_URL): the engine's own one listens to this computer alone",
      })
    return problems
  }
  for (const [cert, key] of PAIRS)
    if ((e[cert] === undefined) !== (e[key] === undefined))
      problems.push({
        path: e[cert] === undefined ? cert : key,
        message: `is needed with ${e[cert] === undefined ? key : cert}: a certificate and its key belong together`,
      })
  const isTls = servers.map((server) => server.startsWith('tls://'))
  if (isTls.includes(true) && isTls.includes(false))
    problems.push({
      path: 'KRE_NATS_URL',
      message: 'names servers with tls:// and others without: name all of them with it',
    })
  return problems
}

/** Null = without TLS, unless the server wants it. */
export function natsTlsSettings(e: Values, servers: readonly string[]): NatsTlsSettings | null {
  const names = Object.keys(NatsTlsEnvironment.shape) as (keyof Values)[]
  const isDemanded =
    servers.some((server) => server.startsWith('tls://')) || names.some((name) => isGiven(e, name))
  if (!isDemanded || servers.length === 0) return null
  const file = (variable: keyof Values): TlsFile | null =>
    e[variable] === undefined ? null : { path: resolve(e[variable]), variable }
  const [engine, versions] = PAIRS.map(([certName, keyName]) => {
    const [cert, key] = [file(certName), file(keyName)]
    return cert === null || key === null ? null : { cert, key }
  })
  return Object.freeze({
    authorities: file('KRE_NATS_TLS_CA_FILE'),
    engine: engine ?? null,
    versions: versions ?? null,
    serverName: e.KRE_NATS_TLS_SERVER_NAME ?? null,
    handshakeFirst: e.KRE_NATS_TLS_HANDSHAKE_FIRST === 'true',
  })
}

/** @throws KreError `failed-precondition` for a file that can't be used. */
export function readNatsTls(settings: NatsTlsSettings, whose: 'engine' | 'versions'): NatsTls {
  const { authorities, serverName, handshakeFirst } = settings
  const identity = settings[whose]
  return {
    ...(authorities === null ? {} : { ca: readAuthorities(authorities) }),
    ...(identity === null ? {} : readIdentity(identity)),
    ...(serverName === null ? {} : { serverName }),
    ...(handshakeFirst ? { handshakeFirst } : {}),
  }
}

function isGiven(e: Values, name: keyof Values): boolean {
  return e[name] !== undefined && e[name] !== 'false'
}
