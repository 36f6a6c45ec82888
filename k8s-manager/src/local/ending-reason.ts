/** Why a process ended, in a user's words. Pure: the facts come from the caller. */
import { MiB, SECOND_MS } from '@kre/contracts'

export type Ending =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; signal: string }
  /** It was not our child, so its exit code is unknown. */
  | { kind: 'unobserved' }

/** Why the target killed it; null = it did not. */
export type KillCause =
  | { kind: 'memory'; usedBytes: number; limitBytes: number }
  | { kind: 'never-ready'; afterMs: number }
  | { kind: 'silent'; afterMs: number }
  | { kind: 'blocked'; requestIds: readonly string[] }

/** Lines of output in a reason. */
const LINES_MAX = 5
/** Characters of output in a reason. */
const CHARACTERS_MAX = 1_000
/** pino's number for warnings; lesser lines say nothing about a death. */
const WARN_LEVEL = 40

/** @param output the end of what the process wrote to stdout and stderr. */
export function endingReason(ending: Ending, killedFor: KillCause | null, output: string): string {
  const said = tellingLines(output)
  if (killedFor !== null) return killedReason(killedFor, said)
  if (/JavaScript heap out of memory/.test(output))
    return 'OOMKilled: the JavaScript heap reached its limit; give the node more memory (resources.memory) or make it use less'
  switch (ending.kind) {
    case 'exit':
      return `exited with code ${ending.code}${withOutput(said)}`
    case 'signal':
      return `was ended by ${ending.signal}${ending.signal === 'SIGKILL' ? ' (by somebody, or by the system for lack of memory)' : ''}${withOutput(said)}`
    case 'unobserved':
      return `ended; its exit code is unknown, because an earlier engine had started it${withOutput(said)}`
  }
}

function killedReason(cause: KillCause, said: string): string {
  switch (cause.kind) {
    case 'memory':
      return `OOMKilled: used ${inMiB(cause.usedBytes)} of ${inMiB(cause.limitBytes)}; give the node more memory (resources.memory) or make it use less`
    case 'never-ready':
      return `was not ready within ${cause.afterMs / SECOND_MS} s, so it was killed${said === '' ? '; it wrote nothing: look for an endless loop or a blocking call in init' : withOutput(said)}`
    case 'silent':
      return `said nothing for ${cause.afterMs / SECOND_MS} s while its process lived (a blocked loop?), so it was killed${withOutput(said)}`
    case 'blocked':
      return `its handler blocked the process beyond the deadline of request ${cause.requestIds.join(', ')} (an endless loop?), so it was killed`
  }
}

/** The lines that explain a death: messages of errors rather than stack frames, the last ones. */
export function tellingLines(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => fromLogRecord(line.trimEnd()))
    .filter((line) => line.trim() !== '' && !isNoise(line))
  return lines.slice(-LINES_MAX).join('\n').slice(-CHARACTERS_MAX)
}

function isNoise(line: string): boolean {
  return /^\s+at .*(:\d+|\))$|^Node\.js v\d|^\s*\^+\s*$|^\(Use `node --trace/.test(line)
}

function fromLogRecord(line: string): string {
  if (!line.startsWith('{')) return line
  try {
    const record = JSON.parse(line) as {
      level?: unknown
      msg?: unknown
      err?: { message?: string }
    }
    if (typeof record.level !== 'number' || typeof record.msg !== 'string') return line
    if (record.level < WARN_LEVEL) return ''
    return record.err?.message === undefined ? record.msg : `${record.msg}: ${record.err.message}`
  } catch (error) {
    if (error instanceof SyntaxError) return line
    throw error
  }
}

function withOutput(said: string): string {
  return said === '' ? '; it wrote nothing' : `: ${said}`
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / MiB)} MiB`
}
