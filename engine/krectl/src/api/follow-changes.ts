import type { AdminClient } from './admin-client.ts'

/**
 * Shows what is there, then each change of it; nothing falls between, because the stream opens first.
 *
 * @param present reads and shows what is there.
 * @param signal ends it, which is no error.
 */
export async function followChanges<T>(
  client: AdminClient,
  stream: { document: string; variables: Record<string, unknown> },
  { present, onEvent }: { present: () => Promise<void>; onEvent: (event: T) => void },
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController()
  const pending: T[] = []
  let isLive = false
  const { promise: opened, resolve } = Promise.withResolvers<void>()
  const following = client.subscribe<T>(
    stream.document,
    stream.variables,
    (event) => (isLive ? onEvent(event) : pending.push(event)),
    AbortSignal.any([signal, failed.signal]),
    resolve,
  )
  try {
    await Promise.race([opened, following])
    await present()
    isLive = true
    for (const event of pending) onEvent(event)
    await following
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    failed.abort()
    // Whatever came of it was told above.
    await following.catch(() => undefined)
  }
}
