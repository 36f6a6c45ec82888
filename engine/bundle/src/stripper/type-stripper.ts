import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Stripped, stripText } from './strip-text.ts'

export type TypeStripper = {
  /** Null when it broke so often that it tries no more. */
  strip(text: string): Promise<Stripped | null>
  [Symbol.asyncDispose](): Promise<void>
}

/** So many texts may break a compiler: each costs a thread anew, and such a bundle is of no use anyway. */
const TRAPS_MAX = 5
/** Heap of a thread: a text of 256 KiB and what was made of it. The compiler's own memory is not on it. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 }

/**
 * Node's type stripper for texts of strangers. Its compiler, a program in WebAssembly, is broken for ever by code that is
 * nested without end, and Node starts no other one; so what follows goes to a thread with a compiler of its own.
 */
export function createTypeStripper(): TypeStripper {
  /** The compiler of this thread: perhaps by somebody else before, so what broke it is asked of another one. */
  let isBroken = false
  let thread: Worker | null = null
  let traps = 0

  async function stripInThread(text: string): Promise<Stripped> {
    thread ??= new Worker(new URL('strip-thread.ts', import.meta.url), {
      env: {},
      execArgv: ['--no-warnings'],
      resourceLimits: THREAD_LIMITS,
    })
    const asked = thread
    try {
      const answer = once(asked, 'message') as Promise<[Stripped]>
      asked.postMessage(text)
      return (await answer)[0]
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException
      if (code !== 'ERR_WORKER_OUT_OF_MEMORY') throw thrown
      return { fault: 'trap', message, stack: '' }
    }
  }

  async function endThread(): Promise<void> {
    const ending = thread
    thread = null
    await ending?.terminate()
  }

  return {
    async strip(text) {
      if (traps >= TRAPS_MAX) return null
      const stripped = isBroken ? null : stripText(text)
      if (stripped !== null && !isTrap(stripped)) return stripped
      isBroken = true
      const another = await stripInThread(text)
      if (isTrap(another)) {
        traps += 1
        await endThread()
      }
      return another
    },
    [Symbol.asyncDispose]: endThread,
  }
}

function isTrap(stripped: Stripped): boolean {
  return 'fault' in stripped && stripped.fault === 'trap'
}
