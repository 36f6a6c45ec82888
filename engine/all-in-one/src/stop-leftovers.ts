/** Ends what a killed engine left running on a data folder: the same stop, by an engine that comes up for it. */
import type { Logger } from '@kre/service-kit'
import type { Config } from './config.ts'
import { startEngine } from './engine.ts'
import { readdir } from 'node:fs/promises'

export async function stopLeftovers(config: Config, logger: Logger): Promise<void> {
  const there: string[] = await readdir(config.dataDir).catch(() => [])
  if (!there.includes('nats')) return // nothing ever ran here
  const engine = await startEngine({ ...config, adminPort: 0 }, logger)
  await engine.stop()
}
