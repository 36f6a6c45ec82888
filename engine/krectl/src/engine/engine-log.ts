/** The engine's log as a command reads it while it waits: progress to show, and the reason of a failed start. */
import { open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MiB } from '@kre/contracts'
import type { Context } from '../context.ts'

/** Beyond it a starting engine begins a new log; the old one is kept as `.1`. */
const LOG_BYTES_MAX = 10 * MiB
/** pino's level of `error`. */
const ERROR_LEVEL = 50
/** What Node says of its own death stands among source lines, frames and its version. */
const DEATH = /^(?:\w*Error\b.*:|FATAL ERROR: )/

type Entry = { level?: number; msg?: string; progress?: boolean }

export type EngineLog = {
  path: string
  /** Shows the progress written since the last look. */
  showProgress(): Promise<void>
  /** The last error among what was looked at. */
  lastError(): string
}

/** Reads from the log's end on. */
export async function openEngineLog(context: Context, name = 'engine.log'): Promise<EngineLog> {
  const path = join(context.dataDir, name)
  let offset = await sizeOf(path)
  let last = 'it said nothing'
  return {
    path,
    lastError: () => last,
    async showProgress() {
      const text = await readFrom(path, offset)
      const complete = text.subarray(0, text.lastIndexOf(10) + 1)
      offset += complete.length
      for (const line of complete.toString('utf8').split('\n')) {
        const entry = parseEntry(line)
        if (entry?.progress === true) context.output.step(`  ${entry.msg ?? ''}`)
        const isError =
          entry === null
            ? line.trim() !== '' && (DEATH.test(line) || !DEATH.test(last))
            : (entry.level ?? 0) >= ERROR_LEVEL
        if (isError) last = entry?.msg ?? line.trim()
      }
    },
  }
}

/** Keeps the log from growing for ever; call while no engine writes it. */
export async function rotateEngineLog(path: string): Promise<void> {
  if ((await sizeOf(path)) > LOG_BYTES_MAX) await rename(path, `${path}.1`)
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => ({ size: 0 }))).size
}

async function readFrom(path: string, offset: number): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => null)
  if (file === null) return Buffer.alloc(0)
  try {
    const { size } = await file.stat()
    const buffer = Buffer.alloc(Math.max(0, size - offset))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

function parseEntry(line: string): Entry | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' ? (value as Entry | null) : null
  } catch {
    return null // not one of the engine's own lines, for example of Node itself
  }
}
