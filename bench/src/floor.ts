/** The floor: a bare gRPC echo on `node:http2`, without a graph, a broker or a check of anything. */
import { createServer } from 'node:http2'

const server = createServer()
server.on('stream', (stream) => {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc+proto' },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
  })
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as { port: number }).port}\n`)
})
process.once('disconnect', () => process.exit(0))
