import { StringDecoder } from 'node:string_decoder'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'
import { readInput } from './read-input.ts'

type Terminal = Context['stdin'] & { isTTY?: boolean; setRawMode?: (raw: boolean) => unknown }

const ENTER = /[\r\n]/
/** Ctrl-C and Ctrl-D, which a terminal in raw mode hands over as they are. */
const GIVE_UP: ReadonlySet<string> = new Set(['\u{3}', '\u{4}'])
const ERASE: ReadonlySet<string> = new Set(['\u{8}', '\u{7f}'])

/**
 * A secret from standard input: all of it, or a line that is typed and not shown where a person sits.
 *
 * @throws KreError `cancelled` when the person gives up.
 */
export async function readSecret(
  context: Pick<Context, 'stdin' | 'stderr' | 'signal'>,
  prompt: string,
): Promise<string> {
  const { stdin, stderr } = context
  const terminal: Terminal = stdin
  if (terminal.isTTY !== true || terminal.setRawMode === undefined) return readInput(context, 'it')
  stderr.write(prompt)
  terminal.setRawMode(true)
  try {
    return await typedLine(terminal)
  } finally {
    terminal.setRawMode(false)
    terminal.pause()
    stderr.write('\n')
  }
}

async function typedLine(terminal: Terminal): Promise<string> {
  const decoder = new StringDecoder('utf8')
  let line = ''
  for await (const chunk of terminal.iterator({ destroyOnReturn: false }))
    for (const character of decoder.write(chunk as Buffer)) {
      if (GIVE_UP.has(character)) throw new KreError('cancelled', 'nothing was changed')
      if (ENTER.test(character)) return line
      line = ERASE.has(character) ? line.slice(0, -1) : line + character
    }
  return line
}
