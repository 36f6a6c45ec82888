/** Items asked for at once: a page of the longest ones is some hundred KiB. */
const PAGE_ITEMS = 200

export type PageOptions = {
  /** Null = all of them. */
  limit: number | null
  /** Behind this one; null = from the begin. */
  after: string | null
}

/** The items that are wanted of a list, read in pages, and whether there are more behind them. */
export async function readPages<T>(
  readPage: (limit: number, cursor: string | null) => Promise<readonly T[]>,
  cursorOf: (item: T) => string,
  { limit, after }: PageOptions,
): Promise<{ items: T[]; hasMore: boolean }> {
  const items: T[] = []
  // One more than is wanted shows whether there are more.
  const wanted = limit === null ? Infinity : limit + 1
  while (items.length < wanted) {
    const last = items.at(-1)
    const asked = Math.min(PAGE_ITEMS, wanted - items.length)
    const page = await readPage(asked, last === undefined ? after : cursorOf(last))
    items.push(...page)
    if (page.length < asked) break
  }
  return { items: limit === null ? items : items.slice(0, limit), hasMore: items.length === wanted }
}
