/**
 * Stands in for node-runner and entrypoint in the tests of targets: really announces over NATS, and misbehaves
 * as the configuration variable BEHAVIOUR says. Started as `node fake-runner.ts` with KRE_LAUNCH_FILE.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http2'
import { join } from 'node:path'
import {
  type Announcement,
  controlSubject,
  IN_FLIGHT_FILE,
  Launch,
  MiB,
  monotonicMs,
  START_STAGE_FILE,
  startStageText,
} from '@kre/contracts'
import { inFlightText } from '@kre/contracts/testing'
import { connectNats } from '@kre/service-kit'

const launch = Launch.parse(
  // oxlint-disable-next-line node/no-process-env -- this is a program's entry, like a main.ts
  JSON.parse(readFileSync(process.env['KRE_LAUNCH_FILE'] ?? '', 'utf8')),
)
const variables = launch.kind === 'node' ? launch.config.variables : {}
const behaviour = variables['BEHAVIOUR'] ?? 'well'

const isMute = behaviour === 'mute' || behaviour === 'loading'

if (behaviour === 'crash') {
  process.stderr.write('Error: model.bin is not a model\n    at load (src/etl.ts:3:9)\n')
  process.exit(1)
}
if (behaviour === 'worker') spawn('sleep', ['600'], { stdio: 'ignore' })

const nats = await connectNats(launch.nats, 'fake-runner')
const { runtimeId, version } = launch
const incarnation = randomUUID()
const announcement = (state: Announcement['state']): Announcement => ({
  role: launch.kind,
  runtimeId,
  version,
  workflow: launch.kind === 'node' ? launch.workflow : null,
  node: launch.kind === 'node' ? launch.node : null,
  replica: launch.replica,
  incarnation,
  pid: process.pid,
  bundleDigest: launch.kind === 'node' ? launch.bundleDigest : null,
  state,
  interrupted: [],
  address: launch.kind === 'entrypoint' ? `${launch.listen.host}:${launch.listen.port}` : null,
})
const announce = (state: Announcement['state']) => {
  if (version === null || isMute) return
  nats.publish(
    controlSubject({ runtimeId, version }, 'announce'),
    JSON.stringify(announcement(state)),
  )
}

process.on('SIGTERM', () => {
  if (behaviour === 'stubborn') return
  announce('draining')
  void nats.drain().then(() => process.exit(0))
})
if (launch.kind === 'entrypoint') {
  const server = createServer()
  await new Promise<void>((resolve) =>
    server.listen({ ...launch.listen, reusePort: process.platform === 'linux' }, resolve),
  )
} else if (behaviour === 'busy' || behaviour === 'blocked') {
  const dueMs = behaviour === 'busy' ? Infinity : monotonicMs() + 300
  const call = { requestId: '11111111-2222-3333-4444-555555555555', dueMs }
  writeFileSync(join(launch.workPath, IN_FLIGHT_FILE), inFlightText([call, null]))
}

if (behaviour === 'loading' && launch.kind === 'node') {
  const stage = { stage: 'load', beat: 1, line: 'reading rows' } as const
  writeFileSync(join(launch.workPath, START_STAGE_FILE), startStageText(stage))
}

announce('ready')
if (version !== null && behaviour !== 'silent') {
  nats.subscribe(controlSubject({ runtimeId, version }, 'ping'), {
    callback: (_error, message) =>
      void (!isMute && message.respond(JSON.stringify(announcement('ready')))),
  })
  setInterval(() => announce('ready'), 200)
} else setInterval(() => undefined, 60_000)

if (behaviour === 'grow') {
  const hoard: Buffer[] = []
  setInterval(() => hoard.push(Buffer.alloc(16 * MiB, 1)), 10)
}
