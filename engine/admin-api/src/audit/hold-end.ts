import type { ServerResponse } from 'node:http'

/**
 * Keeps back the end of an answer until `release`, so that its reader can't be faster than what is still to be
 * written down. An answer in one piece is kept back whole.
 */
export function holdEnd(res: ServerResponse): { release(): void } {
  const end = res.end.bind(res) as (...args: unknown[]) => ServerResponse
  let held: unknown[] | null = null
  const hold = (...args: unknown[]): ServerResponse => {
    held ??= args
    return res
  }
  res.end = hold as ServerResponse['end']
  return {
    release() {
      res.end = end as ServerResponse['end']
      if (held !== null) end(...held)
    },
  }
}
