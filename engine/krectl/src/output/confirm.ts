import { createInterface } from 'node:readline/promises'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'
import { UsageError } from './exit-code.ts'

type ConfirmOptions = {
  /** What --yes said. */
  yes: boolean | undefined
  /** Whether nothing on the line says how much is meant: without a terminal --yes is needed then. */
  always?: boolean
}

/**
 * Asks a person before something is destroyed. A script that names one thing has said what it means and is not asked.
 *
 * @throws KreError `cancelled` for any answer but yes; UsageError when nobody is there to ask and `always` is set.
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
  const lines = createInterface({ input: context.stdin, output: context.stderr })
  try {
    const answer = await lines.question(`${what}. Go on? [y/N] `, { signal: context.signal })
    if (/^y(?:es)?$/i.test(answer.trim())) return
  } finally {
    lines.close()
  }
  throw new KreError('cancelled', 'nothing was changed')
}
