import { addAbortSignal } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Context } from '../context.ts'

/**
 * All of standard input, until it ends or the command is interrupted.
 *
 * @param what is told to a person at a terminal, who would see nothing happen.
 */
export async function readInput(
  { stdin, stderr, signal }: Pick<Context, 'stdin' | 'stderr' | 'signal'>,
  what: string,
): Promise<string> {
  if ((stdin as { isTTY?: boolean }).isTTY === true)
    stderr.write(`Type ${what}; Ctrl-D on a line of its own ends it\n`)
  return text(addAbortSignal(signal, stdin))
}
