import type { Command } from 'commander'
import { readPages } from '../api/read-pages.ts'
import type { Context } from '../context.ts'
import { UsageError } from './exit-code.ts'
import { parseCount } from './parse-duration.ts'

export type ListOptions = { limit?: number; after?: string }

/** The options of a list that is whole unless they say otherwise. @param what says what --after names. */
export function addPageOptions(command: Command, what: string): Command {
  return command
    .option('--limit <number>', 'at most so many (default: all)', parseLimit)
    .option('--after <id>', `go on behind ${what}`)
}

/** The items that the options ask for; says on standard error how to go on where there are more. */
export async function readList<T>(
  context: Pick<Context, 'output'>,
  { limit, after }: ListOptions,
  readPage: (limit: number, cursor: string | null) => Promise<readonly T[]>,
  cursorOf: (item: T) => string,
): Promise<T[]> {
  const { items, hasMore } = await readPages(readPage, cursorOf, {
    limit: limit ?? null,
    after: after ?? null,
  })
  const last = items.at(-1)
  if (hasMore && last !== undefined)
    context.output.step(`There are more: go on with --after ${cursorOf(last)}`)
  return items
}

/** @throws UsageError. */
function parseLimit(text: string): number {
  const limit = parseCount('--limit', text)
  if (limit < 1) throw new UsageError('--limit is at least 1')
  return limit
}
