import { KreError } from '@kre/contracts'

/** Calls by the API at once: it is there to try things out. Whoever calls much has the entrypoint's own address. */
const CALLS_MAX = 32
/** … of one user. */
const CALLS_OF_USER_MAX = 4

/** Takes a place and returns the function that gives it back. */
export type CallSlots = (user: string) => () => void

/** Nobody waits: a call that has no place is refused. @throws KreError `resource-exhausted` (from what is returned). */
export function createCallSlots(): CallSlots {
  const users = new Map<string, number>()
  let all = 0
  return function take(user) {
    const own = users.get(user) ?? 0
    if (own >= CALLS_OF_USER_MAX || all >= CALLS_MAX)
      throw new KreError(
        'resource-exhausted',
        own >= CALLS_OF_USER_MAX
          ? `${own} calls of yours are under way: wait for one to end, or call the entrypoint itself`
          : 'many calls are under way: try again, or call the entrypoint itself',
        { reason: 'TOO_MANY_CALLS' },
      )
    all += 1
    users.set(user, own + 1)
    return () => {
      all -= 1
      const left = (users.get(user) ?? 1) - 1
      if (left === 0) users.delete(user)
      else users.set(user, left)
    }
  }
}
