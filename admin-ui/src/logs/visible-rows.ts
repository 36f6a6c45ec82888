type Place = {
  /** How far the list is scrolled, in pixels. */
  scrollTop: number
  heightPx: number
  rowPx: number
  count: number
  /** Rows that are drawn above and below, for a quick finger. */
  overscan: number
}

/** Which rows of a long list are drawn: `from` included, `to` not. */
export function visibleRows({ scrollTop, heightPx, rowPx, count, overscan }: Place): {
  from: number
  to: number
} {
  const to = Math.min(count, Math.ceil((scrollTop + heightPx) / rowPx) + overscan)
  const from = Math.max(0, Math.min(Math.floor(scrollTop / rowPx), count) - overscan)
  return { from, to: Math.max(from, to) }
}
