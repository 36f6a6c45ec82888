/**
 * `node main.ts run`: the laptop's engine. `stop`: ends what a killed one left behind. `reset-keys`: gives up what no
 * key opens, and says what that was as JSON.
 */
import { createLogger } from '@kre/service-kit'
import { startLean } from '@kre/service-kit/runner'
import { DataDirBusy } from './claim-data-dir.ts'
import { parseConfig } from './config.ts'
import { startEngine } from './engine.ts'
import { failureText } from './failure-text.ts'
import { resetKeys } from './reset-keys.ts'
import { stopLeftovers } from './stop-leftovers.ts'

/** sysexits.h, EX_TEMPFAIL: another engine has the data folder. */
const EXIT_BUSY = 75

/** How long an engine without files tries to end what it runs, in ms. */
const LOST_STOP_MS = 15_000

const logger = createLogger('engine', { level: process.env['KRE_LOG_LEVEL'] ?? 'info' })
process.on('unhandledRejection', (error) => logger.error({ error }, 'a failure nobody waited for'))

try {
  const config = parseConfig(process.env)
  if (process.argv[2] === 'stop') await stopLeftovers(config, logger)
  else if (process.argv[2] === 'reset-keys')
    process.stdout.write(`${JSON.stringify(await resetKeys(config, logger))}\n`)
  else {
    // First: of that, too, the compiled code may have to be made.
    await loadRest(config)
    await startLean(process.env, async () => undefined, new AbortController().signal)
    await serve(config)
  }
} catch (error) {
  fail(error)
}

/** What an engine with these settings loads later. What it would compile then leaves the compiler in its memory. */
async function loadRest({ target, mongodb }: ReturnType<typeof parseConfig>): Promise<void> {
  if (target.kubernetes !== null) await import('@kre/k8s-manager/kubernetes')
  if (mongodb !== null) await import('@kre/store/mongo')
}

async function serve(config: ReturnType<typeof parseConfig>): Promise<void> {
  let ending = false
  const starting = startEngine(config, logger, (why) => {
    if (ending) return
    logger.fatal(`the engine of ${config.dataDir} ends: ${why}`)
    end('stop')
    // What can't be ended without its files ends by itself when nobody speaks to it any more.
    setTimeout(() => process.exit(1), LOST_STOP_MS).unref()
  })
  const end = (how: 'stop' | 'leave') => {
    if (ending) return
    ending = true
    // Asked for while it starts, the end follows the start: nothing half-started is left behind.
    starting.then((engine) => engine[how]()).then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', () => end('stop'))
  process.on('SIGINT', () => end('stop'))
  process.on('SIGHUP', () => logger.info('the terminal is gone, the engine stays'))
  // For an upgrade of the engine: versions go on and are taken over by the next one.
  process.on('SIGUSR2', () => end('leave'))
  await starting
}

function fail(error: unknown): never {
  const message = failureText(error)
  logger.fatal({ err: error }, message)
  process.stderr.write(`${message}\n`)
  process.exit(error instanceof DataDirBusy ? EXIT_BUSY : 1)
}
