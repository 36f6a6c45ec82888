/** Certificates for tests, in PEM: an authority, and what it signs, with any names and any dates (RFC 5280, in DER). */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { DAY_MS } from '@kre/contracts'

export type Certified = { readonly cert: string; readonly key: string }
export type CertificateOptions = {
  /** Host names and IPv4 addresses it is for. */
  names?: readonly string[]
  /** From when to when, in ms from now; an hour ago to tomorrow by default. */
  fromMs?: number
  toMs?: number
}
type Issuer = { readonly name: string; readonly key: KeyObject }
export type TestAuthority = {
  /** Its own certificate. */
  readonly ca: string
  /** For servers and clients alike. */
  issue(name: string, options?: CertificateOptions): Certified
  /** One that this one vouches for; what it issues comes without its own certificate. */
  under(name: string): TestAuthority
}

export function makeAuthority(name = 'test authority', above?: Issuer): TestAuthority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const authority: Issuer = { name, key: keys.privateKey }
  return {
    ca: certificate(name, keys.publicKey, above ?? authority, {}, true),
    issue(subject, options = {}) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      return {
        cert: certificate(subject, own.publicKey, authority, options, false),
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      }
    },
    under: (below) => makeAuthority(below, authority),
  }
}

const OID = {
  commonName: '550403',
  ecdsaWithSha256: '2a8648ce3d040302',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
} as const

function certificate(
  subject: string,
  publicKey: KeyObject,
  issuer: Issuer,
  { names = [], fromMs = -3_600_000, toMs = DAY_MS }: CertificateOptions,
  isAuthority: boolean,
): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256))
  const now = Date.now()
  const extensions = [
    isAuthority ? extension(OID.basicConstraints, sequence(der(0x01, Buffer.from([0xff])))) : null,
    names.length === 0 ? null : extension(OID.subjectAltName, sequence(...names.map(alternative))),
  ].filter((one) => one !== null)
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguished(issuer.name),
    sequence(time(now + fromMs), time(now + toMs)),
    distinguished(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  )
  const signature = sign('sha256', content, issuer.key)
  const whole = sequence(content, algorithm, der(0x03, Buffer.from([0]), signature))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

/** Tag, length, contents. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return der(0x30, ...contents)
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value))
}

function distinguished(name: string): Buffer {
  return sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(name)))))
}

function alternative(name: string): Buffer {
  return isIP(name) === 4
    ? der(0x87, Buffer.from(name.split('.').map(Number)))
    : der(0x82, Buffer.from(name))
}

/** GeneralizedTime, or UTCTime before 2050, as the standard wants it. */
function time(unixMs: number): Buffer {
  const digits = new Date(unixMs).toISOString().replace(/[-:T]|\.\d+/g, '')
  return digits < '2050' ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits))
}
