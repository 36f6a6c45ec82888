/** `node main.ts run`: the laptop's engine. `node main.ts stop`: ends what a killed one left behind. */
import { toKreError } from '@kre/contracts'
import { createLogger } from '@kre/service-kit'
import { parseConfig } from './config.ts'
import { startEngine } from './engine.ts'
import { stopLeftovers } from './stop-leftovers.ts'

const logger = createLogger('engine', { level: process.env['KRE_LOG_LEVEL'] ?? 'info' })
process.on('unhandledRejection', (error) => logger.error({ error }, 'a failure nobody waited for'))

try {
  const config = parseConfig(process.env)
  if (process.argv[2] === 'stop') await stopLeftovers(config, logger)
  else {
    const engine = await startEngine(config, logger)
    let stopping = false
    const stop = (how: 'stop' | 'leave') => {
      if (stopping) return
      stopping = true
      engine[how]().then(
        () => process.exit(0),
        (error: unknown) => {
          logger.fatal({ error }, `stopping failed: ${toKreError(error).message}`)
          process.exit(1)
        },
      )
    }
    process.once('SIGTERM', () => stop('stop'))
    process.once('SIGINT', () => stop('stop'))
    // For an upgrade of the engine: versions go on and are taken over by the next one.
    process.once('SIGUSR2', () => stop('leave'))
  }
} catch (error) {
  logger.fatal({ error }, toKreError(error).message)
  process.stderr.write(`${toKreError(error).message}\n`)
  process.exit(1)
}
