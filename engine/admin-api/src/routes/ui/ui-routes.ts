import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import type { Route } from '../../http/exchange.ts'
import { html } from '../../http/html.ts'
import { sendPage, sendRedirect } from '../../http/respond.ts'
import { readUiFile, readUiPage } from './ui-files.ts'
import { uiPage, uiPolicy, type SignInMethods } from './ui-page.ts'

/** Names of built files hold a digest of their contents. */
const FOR_EVER = 'public, max-age=31536000, immutable'
const ASSETS = 'assets/'

type UiRoutesDeps = {
  /** Folder of the built admin UI; null = this engine has none. */
  uiDir: string | null
  methods: SignInMethods
  /** Where browsers find the API. */
  publicUrl: () => string
}

/**
 * The admin UI below `/ui/`: built files, and the page for every other address, since the UI reads the address itself.
 * It is for everybody: it knows nothing before somebody signs in.
 */
export function createUiRoutes({ uiDir, methods, publicUrl }: UiRoutesDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/ui',
      access: 'open',
      async handle({ res }) {
        sendRedirect(res, 'ui/', {})
      },
    },
    {
      method: 'GET',
      path: '/ui/*',
      access: 'open',
      async handle({ req, res, params }) {
        const rest = params['*'] ?? ''
        const accepts = String(req.headers['accept-encoding'] ?? '')
        if (uiDir === null) sendNotBuilt(res)
        else if (rest.startsWith(ASSETS))
          await sendFile(res, join(uiDir, 'assets'), rest.slice(ASSETS.length), {
            accepts,
            cacheControl: FOR_EVER,
          })
        else if (rest === 'icon.svg')
          await sendFile(res, uiDir, rest, { accepts, cacheControl: 'no-cache' })
        else {
          const policy = uiPolicy(req.headers.host ?? '', URL.parse(publicUrl())?.host ?? '')
          await sendUiPage(res, uiDir, policy, { rest, methods })
        }
      },
    },
  ]
}

async function sendFile(
  res: ServerResponse,
  folder: string,
  name: string,
  { accepts, cacheControl }: { accepts: string; cacheControl: string },
): Promise<void> {
  const file = await readUiFile(folder, name, accepts)
  // A page from before an upgrade asks for files that are gone: it must not take the new page for one of them.
  if (file === null)
    throw new KreError('not-found', 'the admin UI has no such file: reload the page')
  res.writeHead(200, {
    'Content-Type': file.contentType,
    'Content-Length': file.body.length,
    'Cache-Control': cacheControl,
    Vary: 'Accept-Encoding',
    ...(file.encoding === null ? {} : { 'Content-Encoding': file.encoding }),
  })
  res.end(file.body)
}

async function sendUiPage(
  res: ServerResponse,
  uiDir: string,
  policy: string,
  { rest, methods }: { rest: string; methods: SignInMethods },
): Promise<void> {
  const built = await readUiPage(uiDir)
  if (built === null) {
    sendNotBuilt(res)
    return
  }
  const body = Buffer.from(uiPage(built, rest, methods))
  res.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': policy,
  })
  res.end(body)
}

function sendNotBuilt(res: ServerResponse): void {
  sendPage(
    res,
    503,
    html`The admin UI is not built`,
    html`<p>
        The engine runs. <code>krectl dev</code> builds the UI, and so does
        <code>npm run build -w @kre/admin-ui</code>; then reload this page.
      </p>
      <p>Until then everything can be done with <code>krectl</code>.</p>`,
  )
}
