import type { KreError } from '@kre/contracts'

/**
 * The same store, whose methods throw KreError alone, and nothing but `closed` once it is closed: the driver would
 * connect again by itself.
 */
export function guardMethods<T extends object>(
  store: T,
  guard: { closed: () => KreError | null; toError: (thrown: unknown) => KreError },
): T {
  const guarded: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(store)) {
    if (typeof member === 'object' && member !== null) guarded[name] = guardMethods(member, guard)
    if (typeof member !== 'function') continue
    guarded[name] = async (...args: unknown[]): Promise<unknown> => {
      const closed = guard.closed()
      if (closed !== null) throw closed
      try {
        return (await Reflect.apply(member, store, args)) as unknown
      } catch (error) {
        throw guard.toError(error)
      }
    }
  }
  // Every port's methods are asynchronous, so that each has the type it had.
  return Object.assign({}, store, guarded)
}
