/** A bare gRPC server stream on `node:http2`: sends what it got as often as a graph of the benchmark does. */
import { createServer, type ServerHttp2Stream } from 'node:http2'

/** Messages of one stream, here and in the nodes that are measured beside. */
export const STREAM_MESSAGES = 100

/** @returns the port. */
export function listenForStreams(): Promise<number> {
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream) => {
    const chunks: Buffer[] = []
    stream.on('error', () => undefined) // the caller has gone
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => void answer(stream, Buffer.concat(chunks)))
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
}

async function answer(stream: ServerHttp2Stream, frame: Buffer): Promise<void> {
  const headers = { ':status': 200, 'content-type': 'application/grpc+proto' }
  stream.respond(headers, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  for (let sent = 0; sent < STREAM_MESSAGES && !stream.destroyed; sent++)
    if (!stream.write(frame)) await drained(stream)
  stream.end()
}

/** Resolves as well when the caller has gone. */
function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    stream.once('drain', resolve)
    stream.once('close', resolve)
  })
}
