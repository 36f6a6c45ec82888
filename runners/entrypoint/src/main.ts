/** The entrypoint's process: `KRE_LAUNCH_FILE` names its launch file; SIGTERM and SIGINT drain it. */
import { readFileSync } from 'node:fs'
import { EntrypointLaunch } from '@kre/contracts'
import { startEntrypoint } from './service.ts'

/** sysexits.h EX_CONFIG: restarting does not help. */
const EXIT_CONFIG = 78

const path = process.env['KRE_LAUNCH_FILE'] ?? ''
let launch: EntrypointLaunch
try {
  launch = EntrypointLaunch.parse(JSON.parse(readFileSync(path, 'utf8')))
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error)
  process.stderr.write(`entrypoint: KRE_LAUNCH_FILE="${path}" is not a launch file: ${reason}\n`)
  process.exit(EXIT_CONFIG)
}

let isStopping = false
const starting = startEntrypoint(launch)
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (isStopping) return
    isStopping = true
    void starting.then((entrypoint) => entrypoint.stop())
  })
}
try {
  const entrypoint = await starting
  process.exit((await entrypoint.ended) ? 0 : 1)
} catch (error) {
  process.stderr.write(`entrypoint: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
