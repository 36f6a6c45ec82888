/** Log lines as pino writes them, for processes that log a few lines in their life and must be small. */
import { writeSync } from 'node:fs'
import { hostname } from 'node:os'

/** pino's numbers. */
const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const
type Level = keyof typeof LEVELS
/** Fields whose values are nobody's business. */
const SECRETS: ReadonlySet<string> = new Set(['password', 'token', 'authorization'])

/** Whoever read the lines is gone or slow, or the disk is full: a log must not end the process. */
const UNWRITTEN: ReadonlySet<string> = new Set(['EPIPE', 'EAGAIN', 'ENOSPC', 'EDQUOT', 'EIO'])

export type LogFunction = {
  (message: string): void
  (fields: object, message: string): void
}
/** The part of pino's `Logger` that runners use. */
export type JsonLogger = Readonly<Record<Level, LogFunction>>

/**
 * One line of JSON per call, written before the call returns. Errors get type, message and stack; secrets are masked.
 *
 * @param options.level the least level that is written; `silent` = nothing.
 * @param options.write takes a line with its newline; standard output by default.
 */
export function createJsonLogger(
  service: string,
  options: { level?: Level | 'silent'; write?: (line: string) => void } = {},
): JsonLogger {
  const { level = 'info', write = writeToStdout } = options
  const least = level === 'silent' ? Infinity : LEVELS[level]
  const base = { pid: process.pid, hostname: hostname(), name: service }
  const at = (number: number): LogFunction => {
    return (first: object | string, message?: string) => {
      if (number < least) return
      const fields = typeof first === 'string' ? {} : first
      const msg = typeof first === 'string' ? first : message
      const time = new Date().toISOString()
      write(`${JSON.stringify({ level: number, time, ...base, ...fields, msg }, toPlain)}\n`)
    }
  }
  return {
    debug: at(LEVELS.debug),
    info: at(LEVELS.info),
    warn: at(LEVELS.warn),
    error: at(LEVELS.error),
  }
}

function toPlain(key: string, value: unknown): unknown {
  if (SECRETS.has(key)) return '[Redacted]'
  if (typeof value === 'bigint') return String(value)
  if (!(value instanceof Error)) return value
  return Object.assign({ type: value.name, message: value.message, stack: value.stack }, value)
}

function writeToStdout(line: string): void {
  try {
    writeSync(1, line)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!UNWRITTEN.has(code)) throw error
  }
}
