/** Takes a data folder for one engine: a second engine on the same folder is refused. */
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { processStartTime, type EngineRecord } from '@kre/service-kit'

/** Takes the data folder for this process. @throws KreError `failed-precondition` when a living engine has it. */
export async function claimDataDir(
  dataDir: string,
): Promise<{ write(adminUrl: string): Promise<void>; release(): Promise<void> }> {
  const lock = join(dataDir, 'engine.lock')
  const startTime = (await processStartTime(process.pid)) ?? ''
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(lock, 'wx', 0o600)
      await file.writeFile(`${process.pid} ${startTime}`)
      await file.close()
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const [pid = '0', ...started] = (await readFile(lock, 'utf8').catch(() => '')).split(' ')
      const alive = (await processStartTime(Number(pid))) === started.join(' ')
      if (alive || attempt > 3) {
        throw new KreError(
          'failed-precondition',
          `an engine (process ${pid}) already works on ${dataDir}: stop it with "krectl stop", or choose another folder with --data`,
        )
      }
      await rm(lock, { force: true }) // its owner is dead
    }
  }
  const startedAt = new Date().toISOString()
  const write = async (adminUrl: string | null) => {
    const record: EngineRecord = { pid: process.pid, startTime, adminUrl, startedAt }
    const file = join(dataDir, 'engine.json')
    await writeFile(`${file}.new`, JSON.stringify(record), { mode: 0o600 })
    await rename(`${file}.new`, file)
  }
  await write(null)
  return {
    write,
    async release() {
      await rm(join(dataDir, 'engine.json'), { force: true })
      await rm(lock, { force: true })
    },
  }
}
