import { KreError, MINUTE_MS, SECOND_MS } from '@kre/contracts'
import * as openid from 'openid-client'
import { boundedFetch } from './bounded-fetch.ts'

export type OidcSettings = {
  /** As the provider writes it in its tokens, to the letter. https, or http on this computer. */
  issuer: string
  clientId: string
  /** Null for a public client: PKCE alone protects it. */
  clientSecret: string | null
}

/** Signatures of ID tokens that are believed: what is no signature, or made with a shared key, is not among them. */
const ALGORITHMS: ReadonlySet<string> = new Set(['RS256', 'ES256', 'EdDSA', 'Ed25519'])
const ANSWER_TIMEOUT_MS = 10 * SECOND_MS
/** So long the provider's description is good: it may get other addresses, and sign with keys of another kind. */
const DISCOVERY_MS = 10 * MINUTE_MS
const SCOPE = 'openid email'

/** What a sign-in has to come back with, kept by the browser that began it. */
export type OidcRequest = { state: string; nonce: string; verifier: string }

export type IdentityProvider = {
  /** Where the browser goes to sign in. */
  begin(redirectUri: string): Promise<{ url: string; request: OidcRequest }>
  /**
   * The e-mail address that the provider vouches for; null when it has none or did not verify it.
   *
   * @param callback the URL that the browser came back to, on the redirect URI.
   * @throws whatever says why the answer is not believed; `isProviderAway` when there is none.
   */
  finish(callback: URL, request: OidcRequest): Promise<string | null>
}

/**
 * OpenID Connect: code flow with PKCE, state and nonce; the ID token's signature, issuer, audience and time are checked.
 *
 * @param nowMs a clock that nobody sets, for the age of what the provider said of itself.
 */
export function createIdentityProvider(
  settings: OidcSettings,
  nowMs: () => number = () => performance.now(),
): IdentityProvider {
  let discovered: { readonly atMs: number; readonly as: Promise<openid.Configuration> } | null =
    null
  /** Asked when it is first needed, and when the answer is old; after a failure it is asked again. */
  function configuration(): Promise<openid.Configuration> {
    const atMs = nowMs()
    if (discovered !== null && atMs - discovered.atMs < DISCOVERY_MS) return discovered.as
    const as = discover(settings).catch((error: unknown) => {
      if (discovered?.as === as) discovered = null
      throw error
    })
    discovered = { atMs, as }
    return as
  }

  return {
    async begin(redirectUri) {
      const config = await configuration()
      const request = {
        state: openid.randomState(),
        nonce: openid.randomNonce(),
        verifier: openid.randomPKCECodeVerifier(),
      }
      const url = openid.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: SCOPE,
        state: request.state,
        nonce: request.nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(request.verifier),
        code_challenge_method: 'S256',
      })
      return { url: url.href, request }
    },

    async finish(callback, { state, nonce, verifier }) {
      const config = withoutKeys(await configuration(), settings)
      const tokens = await openid.authorizationCodeGrant(config, callback, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      if (claims === undefined || claims.sub === '')
        throw new Error('the ID token names no subject')
      if (claims['email'] !== undefined) return verifiedEmail(claims)
      if (config.serverMetadata().userinfo_endpoint === undefined) return null
      // It must speak of the same subject, which this checks.
      return verifiedEmail(await openid.fetchUserInfo(config, tokens.access_token, claims.sub))
    },
  }
}

/** Whether the provider gave no answer that could be believed or not: the library wraps errors that are not its own. */
export function isProviderAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return (error instanceof KreError && error.code === 'unavailable') || isProviderAway(error.cause)
}

/** An address that nobody verified could be anybody's: it proves nothing. */
function verifiedEmail(claims: Readonly<Record<string, unknown>>): string | null {
  const { email, email_verified: isVerified } = claims
  return typeof email === 'string' && isVerified === true ? email : null
}

async function discover(settings: OidcSettings): Promise<openid.Configuration> {
  const { issuer, clientId } = settings
  const url = new URL(issuer)
  const isOpen = url.protocol === 'http:'
  const found = await openid.discovery(url, clientId, undefined, undefined, {
    timeout: ANSWER_TIMEOUT_MS / SECOND_MS,
    [openid.customFetch]: boundedFetch,
    execute: isOpen ? [openid.allowInsecureRequests] : [],
  })
  const metadata = found.serverMetadata()
  if (metadata.issuer !== issuer)
    throw new KreError(
      'failed-precondition',
      `the identity provider calls itself "${metadata.issuer}", and KRE_OIDC_ISSUER says "${issuer}": they must be equal`,
    )
  const offered = metadata.id_token_signing_alg_values_supported ?? ['RS256']
  const algorithms = offered.filter((name) => ALGORITHMS.has(name))
  if (algorithms.length === 0)
    throw new KreError(
      'failed-precondition',
      `the identity provider signs with ${offered.join(', ')} only: let it sign with one of ${[...ALGORITHMS].join(', ')}`,
    )
  return configure(
    { ...(metadata as openid.ServerMetadata), id_token_signing_alg_values_supported: algorithms },
    settings,
  )
}

/**
 * The same, and no key of the provider is known: the library asks for a key that it doesn't know only once a minute,
 * by a clock that may be set, and a code can't be used again. So keys are asked for at each sign-in, after the provider
 * gave a token for its code: nobody else makes the engine ask.
 */
function withoutKeys(config: openid.Configuration, settings: OidcSettings): openid.Configuration {
  return configure({ ...config.serverMetadata() }, settings)
}

function configure(metadata: openid.ServerMetadata, settings: OidcSettings): openid.Configuration {
  const { issuer, clientId, clientSecret } = settings
  const config = new openid.Configuration(
    metadata,
    clientId,
    undefined,
    authentication(metadata, clientSecret),
  )
  config[openid.customFetch] = boundedFetch
  config.timeout = ANSWER_TIMEOUT_MS / SECOND_MS
  if (new URL(issuer).protocol === 'http:') openid.allowInsecureRequests(config)
  openid.enableNonRepudiationChecks(config)
  return config
}

/** How the engine proves to be the client: in a header, as every provider should take it, or as it says it does. */
function authentication(
  { token_endpoint_auth_methods_supported: methods }: Partial<openid.ServerMetadata>,
  secret: string | null,
): openid.ClientAuth {
  if (secret === null) return openid.None()
  const takesBasic = methods === undefined || methods.includes('client_secret_basic')
  return !takesBasic && methods.includes('client_secret_post')
    ? openid.ClientSecretPost(secret)
    : openid.ClientSecretBasic(secret)
}
