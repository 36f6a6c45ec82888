/** The entrypoint's process: `KRE_LAUNCH_FILE` names its launch file; SIGTERM and SIGINT drain it. */
import { readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'

/** sysexits.h EX_CONFIG: restarting does not help. */
const EXIT_CONFIG = 78

enableCompileCache()
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())

// Loaded after the cache is on, so that their code is kept in it.
const { EntrypointLaunch } = await import('@kre/contracts/runtime')
const { startLean } = await import('@kre/service-kit/runner')
const { startEntrypoint } = await import('./service.ts')

const path = process.env['KRE_LAUNCH_FILE'] ?? ''
let launch: ReturnType<typeof EntrypointLaunch.parse>
try {
  launch = EntrypointLaunch.parse(JSON.parse(readFileSync(path, 'utf8')))
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error)
  process.stderr.write(`entrypoint: KRE_LAUNCH_FILE="${path}" is not a launch file: ${reason}\n`)
  process.exit(EXIT_CONFIG)
}

try {
  const loadRest = () => import('./doors/reflection.ts')
  await startLean(process.env, loadRest, stop.signal)
  const entrypoint = await startEntrypoint(launch)
  const drain = () => void entrypoint.stop()
  if (stop.signal.aborted) drain()
  else stop.signal.addEventListener('abort', drain, { once: true })
  process.exit((await entrypoint.ended) ? 0 : 1)
} catch (error) {
  process.stderr.write(`entrypoint: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
