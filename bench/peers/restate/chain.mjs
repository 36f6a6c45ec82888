/** One Restate service with three journalled steps, called through the ingress of a restate-server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

// Two lines of log per call are no part of what is compared. The SDK reads this when it is loaded.
process.env['RESTATE_LOGGING'] = 'ERROR'
const restate = await import('@restatedev/restate-sdk')

const STEPS = 3
const HOST = '127.0.0.1'
const REGISTER_MS_MAX = 60_000
/** Of the platform that this runs on; the wrapper of the package would be one more process. */
const program = createRequire(import.meta.url).resolve(
  `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
)

const chain = restate.service({
  name: 'chain',
  handlers: {
    async infer(ctx, payload) {
      let hops = payload.hops
      for (let step = 1; step <= STEPS; step++) hops = await ctx.run(`n${step}`, () => hops + 1)
      return { ...payload, hops }
    },
  },
})

/** @param {number} port of the ingress; those after it are the server's others and the service's. */
async function serve(port) {
  const [admin, nodePort, service] = [port + 1, port + 2, port + 3]
  await restate.serve({ services: [chain], port: service })
  const home = await mkdtemp(join(tmpdir(), 'restate-'))
  const config = join(home, 'restate.toml')
  await writeFile(
    config,
    `disable-telemetry = true
base-dir = "${home}/data"
bind-address = "${HOST}:${nodePort}"
advertised-address = "http://${HOST}:${nodePort}"
log-filter = "warn"
[ingress]
bind-address = "${HOST}:${port}"
[admin]
bind-address = "${HOST}:${admin}"
`,
  )
  const server = spawn(program, ['--config-file', config], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DO_NOT_TRACK: '1' },
  })
  await register(admin, service, server)
  process.stdin.resume()
  await once(process.stdin, 'end')
  server.kill('SIGTERM')
  await once(server, 'exit')
  await rm(home, { recursive: true, force: true })
  process.exit(0)
}

async function register(admin, service, server) {
  const body = JSON.stringify({ uri: `http://${HOST}:${service}`, force: true })
  const headers = { 'content-type': 'application/json' }
  for (const end = Date.now() + REGISTER_MS_MAX; Date.now() < end && server.exitCode === null;) {
    try {
      const response = await fetch(`http://${HOST}:${admin}/deployments`, {
        method: 'POST',
        headers,
        body,
      })
      if (response.ok) return
      console.error(await response.text())
    } catch {
      // it does not listen yet
    }
    await sleep(100)
  }
  throw new Error('the service could not be registered')
}

await serve(Number(process.argv[2]))
