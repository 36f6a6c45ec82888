/** Three Moleculer services in processes of their own, joined by a nats-server, behind a plain HTTP server that calls the first. */
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { ServiceBroker } from 'moleculer'

const NODES = 3
const HOST = '127.0.0.1'

/** @param {string} nodeID @param {string} natsPort */
function createBroker(nodeID, natsPort) {
  const url = `nats://${HOST}:${natsPort}`
  return new ServiceBroker({
    nodeID,
    logger: false,
    transporter: { type: 'NATS', options: { url } },
  })
}

/** @param {number} index from 1. @param {string} natsPort */
async function serveNode(index, natsPort) {
  const broker = createBroker(`n${index}`, natsPort)
  broker.createService({
    name: `n${index}`,
    actions: {
      infer(ctx) {
        const params = { ...ctx.params, hops: ctx.params.hops + 1 }
        return index === NODES ? params : ctx.call(`n${index + 1}.infer`, params)
      },
    },
  })
  await broker.start()
  process.once('disconnect', () => void broker.stop().then(() => process.exit(0)))
}

/** @param {string} port @param {string} natsServer */
async function serveChain(port, natsServer) {
  const natsPort = String(Number(port) + 1)
  const nats = spawn(natsServer, ['-a', HOST, '-p', natsPort], { stdio: 'ignore' })
  const nodes = Array.from({ length: NODES }, (_, i) =>
    fork(fileURLToPath(import.meta.url), ['node', String(i + 1), natsPort]),
  )
  const broker = createBroker('front', natsPort)
  await broker.start()
  const server = createServer((request, response) => {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const end = (status, body) => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(body))
      }
      broker
        .call('n1.infer', JSON.parse(Buffer.concat(chunks).toString()))
        .then((body) => end(200, body))
        .catch((error) => end(503, { error: error.message }))
    })
  })
  server.listen(Number(port), HOST)
  process.stdin.resume()
  await once(process.stdin, 'end')
  server.close()
  server.closeAllConnections()
  for (const node of nodes) {
    node.disconnect()
    await once(node, 'exit')
  }
  await broker.stop()
  nats.kill('SIGTERM')
}

const [first, second = '', third = ''] = process.argv.slice(2)
if (first === 'node') await serveNode(Number(second), third)
else await serveChain(first ?? '', second)
