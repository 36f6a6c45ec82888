/** Certificates and keys for NATS, read from files and looked at before anybody is spoken to with them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { KiB, KreError, toKreError } from '@kre/contracts'

/** What names a file for people: the variable that it comes from. */
export type TlsFile = { readonly path: string; readonly variable: string }
export type TlsIdentity = { readonly cert: TlsFile; readonly key: TlsFile }

/** Authorities go to every process of every version: few are needed, and a Secret of Kubernetes holds 1 MiB. */
const FILE_BYTES_MAX = 64 * KiB
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * @returns authorities in PEM.
 * @throws KreError `failed-precondition` that names variable, file and what to do.
 */
export function readAuthorities(file: TlsFile): string {
  const text = readTlsFile(file)
  const found = certificatesIn(text, file)
  if (found.every((one) => one.validToDate.getTime() < Date.now()))
    throw expired(file, found[0] as X509Certificate)
  return text
}

/**
 * A certificate, with those that vouch for it behind it, and its key.
 *
 * @throws KreError `failed-precondition` that names variable, file and what to do; no message shows the key.
 */
export function readIdentity({ cert, key }: TlsIdentity): { cert: string; key: string } {
  const certText = readTlsFile(cert)
  const [own] = certificatesIn(certText, cert) as [X509Certificate]
  if (own.validToDate.getTime() < Date.now()) throw expired(cert, own)
  if (own.validFromDate.getTime() > Date.now())
    throw unusable(
      cert,
      `is valid from ${own.validFromDate.toISOString()} on: look at the clock of this computer`,
    )
  const keyText = readTlsFile(key)
  if (!own.checkPrivateKey(privateKeyIn(keyText, key)))
    throw unusable(key, `is not the key of the certificate in ${cert.path}: give the pair`)
  return { cert: certText, key: keyText }
}

function readTlsFile(file: TlsFile): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(file.path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw unusable(file, `can't be read (${code ?? message}): give a file that the engine may read`)
  }
  if (bytes.length > FILE_BYTES_MAX)
    throw unusable(
      file,
      `has ${bytes.length} bytes, and at most ${FILE_BYTES_MAX} may be in it: every process gets it, so name the one authority that NATS needs`,
    )
  return bytes.toString('utf8')
}

/** At least one. */
function certificatesIn(text: string, file: TlsFile): X509Certificate[] {
  const blocks = text.match(CERTIFICATES) ?? []
  if (blocks.length === 0)
    throw unusable(file, 'holds no certificate: it has to be PEM, "-----BEGIN CERTIFICATE-----"')
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch (error) {
      const problem = toKreError(error).message
      throw unusable(file, `holds a certificate (number ${index + 1}) that is damaged: ${problem}`)
    }
  })
}

function privateKeyIn(text: string, file: TlsFile): KeyObject {
  try {
    return createPrivateKey(text)
  } catch (error) {
    const isEncrypted = /ENCRYPTED/.test(text)
    const problem = isEncrypted
      ? 'is encrypted: give one without a password, that only the engine may read'
      : 'holds no private key: it has to be PEM, "-----BEGIN PRIVATE KEY-----"'
    throw unusable(file, problem, error)
  }
}

function expired(file: TlsFile, { validToDate, subject }: X509Certificate): KreError {
  const whose = subject.replaceAll('\n', ', ')
  return unusable(file, `(${whose}) has expired on ${validToDate.toISOString()}: renew it`)
}

function unusable({ path, variable }: TlsFile, problem: string, cause?: unknown): KreError {
  return new KreError('failed-precondition', `${variable}: ${path} ${problem}`, {}, { cause })
}
