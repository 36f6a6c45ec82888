import { once } from 'node:events'

/** Preparation can take minutes; a stop does not wait for it. What it starts then is not wanted any more. */
export async function raceStop(work: Promise<boolean>, stop: AbortSignal): Promise<boolean> {
  if (stop.aborted) return work
  const over = new AbortController()
  const stopped = once(stop, 'abort', { signal: over.signal }).then(
    () => true,
    () => true,
  )
  const result = await Promise.race([work, stopped])
  over.abort()
  return result
}
