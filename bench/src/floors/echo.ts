/** A bare gRPC echo on `node:http2`, without a graph, a broker or a check of anything. */
import { createServer, type ServerHttp2Stream } from 'node:http2'

export type Respond = (payload: Buffer) => void

/** @param handle gets every whole request body, frame prefix included, and what answers it. @returns the port. */
export function listen(handle: (body: Buffer, respond: Respond) => void): Promise<number> {
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
      handle(body, (answer) => {
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc+proto' },
          { waitForTrailers: true },
        )
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
        stream.end(answer)
      })
    })
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
}
