/**
 * Serves the built admin UI below `/ui/` and nothing else, for a setup whose proxy sends the rest to an engine: the UI
 * asks the address that it came from. `PORT` (8080) is where; `KRE_SIGN_IN` names the ways to sign in (`mail oidc`).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join, resolve } from 'node:path'
import { SECURITY_HEADERS } from '../../engine/admin-api/src/http/security-headers.ts'
import { readUiFile, readUiPage } from '../../engine/admin-api/src/routes/ui/ui-files.ts'
import { uiPage, uiPolicy } from '../../engine/admin-api/src/routes/ui/ui-page.ts'

const UI_DIR = resolve(import.meta.dirname, '../../admin-ui/dist')
const ASSETS = 'assets/'
const FOR_EVER = 'public, max-age=31536000, immutable'
const port = Number(process.env['PORT'] ?? '8080')
const signIn = (process.env['KRE_SIGN_IN'] ?? '').split(' ')
const methods = { mail: signIn.includes('mail'), oidc: signIn.includes('oidc') }

const server = createServer({ maxHeaderSize: 16_384, requestTimeout: 10_000 }, (req, res) => {
  answer(req, res).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    if (res.headersSent) res.destroy()
    else send(res, 500, 'the file could not be read\n')
  })
})
server.listen(port, () => {
  const address = server.address()
  const bound = typeof address === 'object' ? address?.port : port
  process.stdout.write(`the admin UI is at port ${bound}, below /ui/\n`)
})
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    server.close()
    server.closeIdleConnections()
  })

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const [path = ''] = (req.url ?? '').split('?', 1)
  if (req.method !== 'GET' && req.method !== 'HEAD') send(res, 405, 'GET alone\n', { Allow: 'GET' })
  else if (path === '/healthz') send(res, 200, 'ok\n')
  else if (path === '/' || path === '/ui')
    send(res, 308, '', { Location: path === '/' ? 'ui/' : './ui/' })
  else if (!path.startsWith('/ui/')) send(res, 404, 'there is nothing but /ui/\n')
  else await sendUi(req, res, path.slice('/ui/'.length))
}

async function sendUi(req: IncomingMessage, res: ServerResponse, rest: string): Promise<void> {
  if (rest.startsWith(ASSETS) || rest === 'icon.svg') {
    const isAsset = rest.startsWith(ASSETS)
    const folder = isAsset ? join(UI_DIR, 'assets') : UI_DIR
    const name = isAsset ? rest.slice(ASSETS.length) : rest
    const file = await readUiFile(folder, name, String(req.headers['accept-encoding'] ?? ''))
    if (file === null) return send(res, 404, 'the admin UI has no such file: reload the page\n')
    return send(res, 200, file.body, {
      'Content-Type': file.contentType,
      'Cache-Control': isAsset ? FOR_EVER : 'no-cache',
      Vary: 'Accept-Encoding',
      ...(file.encoding === null ? {} : { 'Content-Encoding': file.encoding }),
    })
  }
  const page = await readUiPage(UI_DIR)
  if (page === null) return send(res, 503, 'the admin UI is not built\n')
  send(res, 200, uiPage(page, rest, methods), {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': uiPolicy(req.headers.host ?? ''),
  })
}

/** Node leaves the body out for HEAD. */
function send(
  res: ServerResponse,
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  res.writeHead(status, {
    ...SECURITY_HEADERS,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  })
  res.end(body)
}
