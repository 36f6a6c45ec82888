/**
 * `node scripts/dev.ts [engine URL]`: Vite's development server in front of a running engine. An engine reads the list of
 * operations when it starts: after `npm run generate` it has to be started anew.
 */
import { createServer } from 'vite'
import { viteConfig } from '../build/vite-config.ts'

const engine = process.argv[2] ?? 'http://localhost:4000'
const server = await createServer({
  ...viteConfig,
  base: '/ui/',
  server: {
    host: '127.0.0.1',
    port: 4100,
    // The Host header stays: the engine compares it with the browser's Origin.
    proxy: Object.fromEntries(
      ['/api', '/graphql', '/signin'].map((path) => [
        path,
        { target: engine, ws: path === '/graphql' },
      ]),
    ),
  },
})
await server.listen()
server.printUrls()
