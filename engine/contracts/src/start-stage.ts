/**
 * `<workPath>/start-stage`: how far a node's process is on its way to being ready. The process writes it, whoever
 * supervises the process reads it: a process whose thread user code blocks can say nothing over the broker. It is gone
 * as soon as the node is ready.
 */
export const START_STAGE_FILE = 'start-stage'
/** How often a process that is not blocked writes it again. */
export const START_STAGE_EVERY_MS = 1_000

/** Longest line that is kept, in characters. */
const LINE_CHARS_MAX = 500

export type StartStage = {
  /** `load`: the handler's file is imported; `init`: its `init` runs. */
  readonly stage: 'load' | 'init'
  /** Grows by one with each write. */
  readonly beat: number
  /** Last line of the node's log; empty = none yet. */
  readonly line: string
}

export function startStageText(stage: StartStage): string {
  return JSON.stringify({ ...stage, line: stage.line.slice(0, LINE_CHARS_MAX) })
}

/** Null for what is no such text, for example because it is being written. */
export function parseStartStage(text: string): StartStage | null {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof StartStage, unknown>> | null
    const { stage, beat, line } = value ?? {}
    if ((stage !== 'load' && stage !== 'init') || typeof beat !== 'number') return null
    return typeof line === 'string' ? { stage, beat, line } : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
