/** Why a process ended, in a user's words. Pure: the facts come from the caller. */
import { MINUTE_MS, MiB, SECOND_MS, type StartStage } from '@kre/contracts'

export type Ending =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; signal: string }
  /** It was not our child, so its exit code is unknown. */
  | { kind: 'unobserved' }

/** Why the target killed it; null = it did not. */
export type KillCause =
  | { kind: 'memory'; usedBytes: number; limitBytes: number }
  | { kind: 'never-ready'; afterMs: number; stage: StartStage | null }
  | { kind: 'frozen'; afterMs: number; stage: StartStage }
  | { kind: 'silent'; afterMs: number }
  | { kind: 'blocked'; requestIds: readonly string[] }

/** Lines of output in a reason. */
const LINES_MAX = 5
/** Characters of output in a reason. */
const CHARACTERS_MAX = 1_000
/** pino's number for warnings; lesser lines say nothing about a death. */
const WARN_LEVEL = 40

/**
 * @param output the end of what the process wrote to stdout and stderr.
 * @param src the handler's file; null = an entrypoint.
 */
export function endingReason(
  ending: Ending,
  killedFor: KillCause | null,
  output: string,
  src: string | null,
): string {
  const said = tellingLines(output)
  if (killedFor !== null) return killedReason(killedFor, said, src)
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

/** Why a replica that lives is not ready `afterMs` after its start. */
export function overdueReason(
  afterMs: number,
  stage: StartStage | null,
  output: string,
  src: string | null,
): string {
  const said = tellingLines(output)
  return `is not ready after ${inTime(afterMs)}${unfinished(stage, said, src)}. It goes on; a start that needs more time gets it with KRE_START_TIMEOUT_MS`
}

/** What a start has not finished, what it said last, and what to look for. */
function unfinished(stage: StartStage | null, said: string, src: string | null): string {
  if (stage === null) return withOutput(said)
  const last = stage.line === '' ? 'its log is empty' : `its log ends with "${stage.line}"`
  return stage.stage === 'load'
    ? `: ${src} is still being loaded, ${last}; look for an endless loop or a blocking call at its top level`
    : `: the init of ${src} still runs, ${last}; look for an endless loop or a blocking call in it`
}

function killedReason(cause: KillCause, said: string, src: string | null): string {
  switch (cause.kind) {
    case 'memory':
      return `OOMKilled: used ${inMiB(cause.usedBytes)} of ${inMiB(cause.limitBytes)}; give the node more memory (resources.memory) or make it use less`
    case 'never-ready':
      return `was not ready within ${inTime(cause.afterMs)}, so it was killed${unfinished(cause.stage, said, src)}`
    case 'frozen':
      return `blocked its thread for ${inTime(cause.afterMs)} while it started, so it was killed${unfinished(cause.stage, said, src)}`
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

function inTime(ms: number): string {
  return ms >= 2 * MINUTE_MS ? `${Math.round(ms / MINUTE_MS)} min` : `${ms / SECOND_MS} s`
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / MiB)} MiB`
}
