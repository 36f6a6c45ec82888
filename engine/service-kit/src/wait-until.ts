import { setTimeout as sleep } from 'node:timers/promises'
import { KreError } from '@kre/contracts'

/**
 * Asks `condition` until it answers something truthy, which is returned. What is not told how long to wait has time
 * enough for a computer that does much else.
 *
 * @param what names the condition in the error, for example `node "etl" ready`.
 * @throws KreError `deadline-exceeded` after `timeoutMs`.
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | Promise<T>,
  {
    timeoutMs = 60_000,
    everyMs = 20,
    signal,
  }: { timeoutMs?: number; everyMs?: number; signal?: AbortSignal } = {},
): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const answer = await condition()
    if (answer) return answer as NonNullable<T>
    if (performance.now() >= end)
      throw new KreError('deadline-exceeded', `${what}: not within ${timeoutMs} ms`)
    await sleep(everyMs, undefined, signal === undefined ? {} : { signal })
  }
}
