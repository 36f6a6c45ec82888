import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  START_STAGE_EVERY_MS,
  START_STAGE_FILE,
  startStageText,
  type StartStage,
} from '@kre/contracts/runtime'

/** How far the start is, on disk: whoever supervises this process sees what it does while user code blocks it. */
export type StartStages = {
  enter(stage: StartStage['stage']): void
  /** A line of the node's log. */
  said(line: string): void
  /** The start is over. */
  close(): void
}

export function openStartStages(workPath: string): StartStages {
  const file = join(workPath, START_STAGE_FILE)
  let stage: StartStage['stage'] | null = null
  let beat = 0
  let line = ''
  let isClosed = false
  const write = () => {
    if (stage !== null && !isClosed)
      writeFileSync(file, startStageText({ stage, beat: ++beat, line }))
  }
  const timer = setInterval(write, START_STAGE_EVERY_MS).unref()
  return {
    enter(entered) {
      stage = entered
      write()
    },
    said(text) {
      if (isClosed) return
      line = text.slice(text.trimEnd().lastIndexOf('\n') + 1).trim()
      write()
    },
    close() {
      if (isClosed) return
      isClosed = true
      clearInterval(timer)
      rmSync(file, { force: true })
    },
  }
}
