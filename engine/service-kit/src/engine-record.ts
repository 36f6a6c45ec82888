/**
 * Which engines work on a data folder, and where they listen: `<data>/engine.json` is of the one that leads,
 * `<data>/engines/<n>.json` of each. Engines write them, the command line reads them.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { processStartTime } from './process/process-start-time.ts'

export const EngineRecord = z.object({
  pid: z.number(),
  /** In the kernel's words, so that a reused pid is not taken for the engine. */
  startTime: z.string(),
  /** Null until the engine serves. */
  adminUrl: z.string().nullable(),
  startedAt: z.string(),
})
export type EngineRecord = z.infer<typeof EngineRecord>

/** Folder of the records of all engines. */
export const ENGINE_RECORDS = 'engines'

/** The living engine of a data folder to speak to: the one that leads, or another one while none does; or null. */
export async function readEngineRecord(dataDir: string): Promise<EngineRecord | null> {
  const leading = await readRecord(join(dataDir, 'engine.json'))
  if (leading !== null) return leading
  const others = await readEngineRecords(dataDir)
  return others.find(({ adminUrl }) => adminUrl !== null) ?? null
}

/** All living engines of a data folder, the one that leads last. */
export async function readEngineRecords(dataDir: string): Promise<EngineRecord[]> {
  const folder = join(dataDir, ENGINE_RECORDS)
  const names = await readdir(folder).catch(() => [])
  const files = names.filter((name) => name.endsWith('.json')).toSorted()
  const found = await Promise.all(files.map((name) => readRecord(join(folder, name))))
  const leading = await readRecord(join(dataDir, 'engine.json'))
  const others = found.filter((record) => record !== null && record.pid !== leading?.pid)
  return [...others, leading].filter((record) => record !== null)
}

/** Null when there is none, or none of a living process. */
async function readRecord(file: string): Promise<EngineRecord | null> {
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) return null
  const parsed = EngineRecord.safeParse(parseJson(text))
  if (!parsed.success) return null
  return (await processStartTime(parsed.data.pid)) === parsed.data.startTime ? parsed.data : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // cut off by a crash: as good as not there
  }
}
