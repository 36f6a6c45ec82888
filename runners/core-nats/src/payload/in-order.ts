/**
 * Runs `work(0)`, `work(1)`, … with at most `atOnce` under way; each begins after the one before it has begun.
 *
 * @throws what the first failing one throws, when all that were begun have ended; no further one is begun.
 */
export async function inOrder(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  let failure: { readonly thrown: unknown } | null = null
  const run = async () => {
    while (next < count && failure === null) {
      try {
        await work(next++)
      } catch (thrown) {
        failure ??= { thrown }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, run))
  throwIfFailed(failure)
}

function throwIfFailed(failure: { readonly thrown: unknown } | null): void {
  if (failure !== null) throw failure.thrown
}
