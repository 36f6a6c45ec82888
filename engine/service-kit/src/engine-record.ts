/**
 * `<data>/engine.json`: which engine holds a data folder, and where it listens. The engine writes it,
 * the command line reads it.
 */
import { readFile } from 'node:fs/promises'
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

/** The living engine of a data folder, or null. */
export async function readEngineRecord(dataDir: string): Promise<EngineRecord | null> {
  const text = await readFile(join(dataDir, 'engine.json'), 'utf8').catch(() => null)
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
