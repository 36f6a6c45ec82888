import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider, type Configuration } from 'oidc-provider'

export type OidcProvider = Awaited<ReturnType<typeof startOidcProvider>>

/** A real OpenID Connect provider on a free port; whoever types a name is that person. */
export async function startOidcProvider(
  claims: (login: string) => Record<string, unknown>,
  redirectUri: () => string,
) {
  let handle: (req: IncomingMessage, res: ServerResponse) => unknown = () => undefined
  const server = createServer((req, res) => void handle(req, res))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    issuer,
    /** The redirect URI of the client has to be known by then. */
    open() {
      const configuration: Configuration = {
        clients: [
          {
            client_id: 'kre',
            client_secret: 'a secret of the client',
            redirect_uris: [redirectUri()],
          },
        ],
        cookies: { keys: ['a key of the cookies'] },
        claims: { openid: ['sub'], email: ['email', 'email_verified'] },
        pkce: { required: () => true },
        findAccount: (_context, login) => ({
          accountId: login,
          claims: () => ({ sub: login, ...claims(login) }),
        }),
      }
      handle = new Provider(issuer, configuration).callback()
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
}

/** Walks through the provider's pages as a browser does; returns the URL that it sends the browser back to. */
export async function signInAtProvider(start: string, login: string): Promise<URL> {
  const origin = new URL(start).origin
  const cookies = new Map<string, string>()
  let url = start
  let form: string | null = null
  for (let step = 0; step < 12; step += 1) {
    const answer: Response = await fetch(url, {
      redirect: 'manual',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form === null ? {} : { method: 'POST', body: form }),
    })
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    const location = answer.headers.get('location')
    if (location !== null) {
      url = new URL(location, url).href
      form = null
      if (new URL(url).origin !== origin) return new URL(url)
      continue
    }
    const page = await answer.text()
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1]
    if (prompt === undefined) throw new Error(`no form at ${url}: ${page.slice(0, 500)}`)
    url = new URL(/action="([^"]+)"/.exec(page)?.[1] ?? '', url).href
    form = new URLSearchParams({ prompt, login, password: 'any' }).toString()
  }
  throw new Error('the provider does not let the browser go')
}
