/** What failed about TLS, and what to do. Pure: browsers and runners load it too. */

type Failure = { readonly code?: unknown; readonly message: string }
type Problem = { readonly says: RegExp; readonly problem: (failure: Failure) => string }

const AUTHORITY = 'KRE_NATS_TLS_CA_FILE of the engine, nats.external.tls.ca of the chart'
const CLIENT =
  'KRE_NATS_TLS_CERT_FILE of the engine, KRE_NATS_TLS_VERSIONS_CERT_FILE for processes of versions'

/** By the codes of Node.js and OpenSSL, or by their texts where there is no code. The first one counts. */
const PROBLEMS: readonly Problem[] = [
  {
    says: /CERT_HAS_EXPIRED/,
    problem: () => 'shows a certificate that has expired: renew it there',
  },
  {
    says: /CERT_NOT_YET_VALID/,
    problem: () => "shows a certificate that is not valid yet: look at both computers' clocks",
  },
  {
    says: /ERR_TLS_CERT_ALTNAME_INVALID/,
    problem: ({ message }) =>
      `shows a certificate for other names (${message}): connect by a name that is in it, or give that as KRE_NATS_TLS_SERVER_NAME`,
  },
  {
    says: /SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET_ISSUER)|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA|INVALID_PURPOSE|CERT_CHAIN_TOO_LONG/,
    problem: ({ message }) =>
      `shows a certificate that nobody trusted here vouches for (${message}): give its authority (${AUTHORITY})`,
  },
  {
    says: /ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_(?:UNKNOWN|EXPIRED|REVOKED|REQUIRED)|UNSUPPORTED_CERTIFICATE)/,
    problem: ({ message }) =>
      `wants a certificate of its clients, and gets none that it takes (${message}): give one (${CLIENT})`,
  },
  {
    says: /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE|UNEXPECTED_MESSAGE|HTTP_REQUEST/,
    problem: () =>
      'answers the handshake of TLS with something else: where it has no handshake_first, leave KRE_NATS_TLS_HANDSHAKE_FIRST out; where it has no TLS, use nats:// and no KRE_NATS_TLS_ variable',
  },
  {
    says: /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|HANDSHAKE_FAILURE|NO_PROTOCOLS_AVAILABLE/,
    problem: ({ message }) =>
      `has no version of TLS or no cipher in common with this program (${message}): let it speak TLS 1.2 or 1.3`,
  },
  {
    says: /ERR_OSSL_|ERR_CRYPTO_|PEM_/,
    problem: ({ message }) =>
      `can't be spoken to by TLS: certificates or key given here can't be read (${message})`,
  },
]

/**
 * @param failure of a socket, or of making one.
 * @returns the rest of a sentence that begins with the server; null = it has nothing to do with TLS.
 */
export function tlsProblem(failure: Failure): string | null {
  const code = typeof failure.code === 'string' ? failure.code : ''
  const found = PROBLEMS.find(({ says }) => says.test(code))
  if (found !== undefined) return found.problem(failure)
  return /^ERR_(?:SSL|TLS)_/.test(code) ? `can't be spoken to by TLS: ${failure.message}` : null
}
