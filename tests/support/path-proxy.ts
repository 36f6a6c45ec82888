/** A reverse proxy that serves an engine below a path, as an ingress does: the path is cut off on the way. */
import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'

export type PathProxy = AsyncDisposable & { readonly url: string }

/** @param target origin of the engine. */
export async function startPathProxy(prefix: string, target: string): Promise<PathProxy> {
  const { hostname, port } = new URL(target)
  const pathOf = ({ url = '' }: IncomingMessage): string | null =>
    url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : null
  const server = createServer((req, res) => {
    const path = pathOf(req)
    if (path === null) {
      res.writeHead(404).end()
      return
    }
    const onward = request(
      { hostname, port, path, method: req.method, headers: req.headers },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(res)
      },
    )
    onward.on('error', () => res.destroy())
    req.pipe(onward)
  })
  server.on('upgrade', (req, socket, head) => {
    const onward = connect(Number(port), hostname, () => {
      const headers = Object.entries(req.headers).map(
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
