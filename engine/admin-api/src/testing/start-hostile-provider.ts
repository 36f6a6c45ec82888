import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'

/** What a provider does differently from one that can be believed. */
export type Lie = {
  claims?: JWTPayload
  signWith?: 'another key' | 'the client secret' | 'nothing'
  metadata?: Record<string, unknown>
  /** In place of tokens: a status, bytes without end, or, null, no answer at all. */
  token?: { status?: number; bytes?: number } | null
}

/** A provider that signs whatever it is told to. */
export async function startHostileProvider(clientSecret: string) {
  const makeKey = async (alg: string, kid: string) => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
    return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), alg, kid, use: 'sig' } }
  }
  let own = await makeKey('RS256', 'k')
  const other = await makeKey('RS256', 'k')
  let lie: Lie = {}
  let nonce = ''
  const challenges: (string | null)[] = []
  const secretsIn: ('header' | 'body')[] = []

  async function idToken(): Promise<string> {
    const now = Math.floor(Date.now() / 1_000)
    const claims = {
      iss: issuer,
      aud: 'kre',
      sub: 'ada',
      iat: now,
      exp: now + 60,
      nonce,
      email: 'ada@kre.io',
      email_verified: true,
      ...lie.claims,
    }
    if (lie.signWith === 'nothing') return new UnsecuredJWT(claims).encode()
    if (lie.signWith === 'the client secret')
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: 'k' })
        .sign(Buffer.from(clientSecret))
    const { alg, kid, privateKey } = lie.signWith === 'another key' ? other : own
    return new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(privateKey)
  }

  const server = createServer(async (req, res) => {
    const json = (body: unknown): void => {
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify(body))
    }
    if (req.url === '/.well-known/openid-configuration')
      return json({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
        ...lie.metadata,
      })
    if (req.url === '/jwks') return json({ keys: [own.jwk] })
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    const verifier = form.get('code_verifier')
    secretsIn.push(form.has('client_secret') ? 'body' : 'header')
    challenges.push(verifier && createHash('sha256').update(verifier).digest('base64url'))
    if (lie.token === null) return void res.destroy()
    if (lie.token !== undefined) {
      res.writeHead(lie.token.status ?? 200, { 'content-type': 'application/json' })
      return void res.end(' '.repeat(lie.token.bytes ?? 0))
    }
    json({ access_token: 'a', token_type: 'Bearer', expires_in: 60, id_token: await idToken() })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    issuer,
    /** Challenges of the verifiers that it was sent. */
    challenges,
    /** Where the client's secret was, each time. */
    secretsIn,
    /** Signs with a new key from now on, and forgets the old one. */
    async rotate(alg: string) {
      own = await makeKey(alg, `k-${alg}`)
    },
    lie(next: Lie) {
      lie = next
    },
    /** Answers an authorization request at once. */
    answer(authorizationUrl: string): URL {
      const asked = new URL(authorizationUrl).searchParams
      nonce = asked.get('nonce') ?? ''
      const url = new URL(asked.get('redirect_uri') ?? '')
      url.search = new URLSearchParams({ code: 'c', state: asked.get('state') ?? '' }).toString()
      return url
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
}
