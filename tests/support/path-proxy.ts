/** A reverse proxy that serves an engine below a path, as an ingress does: the path is cut off on the way. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { extname, join } from 'node:path'

export type PathProxy = AsyncDisposable & { readonly url: string }

export type PathProxyOptions = {
  /** A built admin UI, which the proxy then serves itself below `/ui/`; absent = the engine does. */
  readonly uiFolder?: string
  /**
   * Where callers come from, as `X-Forwarded-For` says it. Then the engine gets its own name as `Host`, and the one
   * that the browser asked for in `X-Forwarded-*`, as from nginx without further words. Absent = all headers stay.
   */
  readonly callersAddress?: string
}

/** @param target origin of the engine, when it is known. */
export async function startPathProxy(
  prefix: string,
  target: () => string,
  { uiFolder, callersAddress }: PathProxyOptions = {},
): Promise<PathProxy> {
  const pathOf = ({ url = '' }: IncomingMessage): string | null =>
    url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : null
  const headersFor = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
    callersAddress === undefined
      ? headers
      : {
          ...headers,
          host: new URL(target()).host,
          'x-forwarded-for': callersAddress,
          'x-forwarded-host': headers.host,
          'x-forwarded-proto': 'http',
          'x-forwarded-prefix': prefix,
        }
  const server = createServer((req, res) => {
    const path = pathOf(req)
    if (path === null) {
      res.writeHead(404).end()
      return
    }
    if (uiFolder !== undefined && path.startsWith('/ui/')) {
      void sendFile(res, uiFolder, path.slice('/ui/'.length))
      return
    }
    const { hostname, port } = new URL(target())
    const headers = headersFor(req.headers)
    const onward = request({ hostname, port, path, method: req.method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    onward.on('error', () => res.destroy())
    // Who goes away is gone for the engine, too.
    res.on('close', () => onward.destroy())
    req.pipe(onward)
  })
  server.on('upgrade', (req, socket, head) => {
    const { hostname, port } = new URL(target())
    const onward = connect(Number(port), hostname, () => {
      const headers = Object.entries(headersFor(req.headers)).map(
        ([name, value]) => `${name}: ${String(value)}`,
      )
      onward.write(`GET ${pathOf(req) ?? '/'} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

/** A file as a plain static server sends it; the page for every path that has none. */
async function sendFile(res: ServerResponse, folder: string, path: string): Promise<void> {
  const type = TYPES[extname(path)] ?? 'text/html; charset=utf-8'
  const body = await readFile(join(folder, type.startsWith('text/html') ? 'index.html' : path))
  res.writeHead(200, { 'content-type': type }).end(body)
}
