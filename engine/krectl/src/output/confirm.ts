import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'
import { Interrupted, UsageError } from './exit-code.ts'

type ConfirmOptions = {
  /** What --yes said. */
  yes: boolean | undefined
  /** Whether nothing on the line says how much is meant: without a terminal --yes is needed then. */
  always?: boolean
}

/**
 * Asks a person before something is destroyed. A script that names one thing has said what it means and is not asked.
 *
 * @throws KreError `cancelled` for any answer but yes; Interrupted; UsageError when nobody is there to ask and `always` is set.
 */
export async function confirm(
  context: Pick<Context, 'stdin' | 'stderr' | 'signal'>,
  what: string,
  { yes, always = false }: ConfirmOptions,
): Promise<void> {
  if (yes === true) return
  if ((context.stdin as { isTTY?: boolean }).isTTY !== true) {
    if (!always) return
    throw new UsageError(`${what}: add --yes to do that without being asked`)
  }
  const answer = await ask(context, `${what}. Go on? [y/N] `)
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new KreError('cancelled', 'nothing was changed')
}

/** A line that is typed; Ctrl-D is an empty one. */
async function ask(
  { stdin, stderr, signal }: Pick<Context, 'stdin' | 'stderr' | 'signal'>,
  question: string,
): Promise<string> {
  const lines = createInterface({ input: stdin, output: stderr })
  // A terminal hands Ctrl-C over as a letter: no signal comes.
  const interrupted = new Promise<never>((_, reject) => {
    lines.once('SIGINT', () => reject(new Interrupted()))
  })
  const closed = once(lines, 'close').then(() => '')
  try {
    const answer = lines.question(question, { signal }).catch((error: unknown) => {
      if (signal.aborted) throw error
      return closed
    })
    return await Promise.race([answer, interrupted, closed])
  } finally {
    lines.close()
  }
}
