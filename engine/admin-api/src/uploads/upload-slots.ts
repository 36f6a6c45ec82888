import { createSlots, type Slots } from '@kre/service-kit'

/** Takes a turn at the validator and returns the function that gives it back. */
export type UploadSlots = (user: string, signal: AbortSignal) => Promise<() => void>

/** Bundles that are validated at once; each costs a child process. Further uploads wait unread. */
const UPLOADS_MAX = 4
/** … of one user: who sends slowly keeps nobody else waiting. */
const UPLOADS_OF_USER_MAX = 2

export function createUploadSlots(): UploadSlots {
  const all = createSlots(UPLOADS_MAX)
  const users = new Map<string, { slots: Slots; count: number }>()

  return async function take(user, signal) {
    const own = users.get(user) ?? { slots: createSlots(UPLOADS_OF_USER_MAX), count: 0 }
    users.set(user, own)
    own.count += 1
    const held = [
      () => {
        own.count -= 1
        if (own.count === 0) users.delete(user)
      },
    ]
    const release = (): void => held.splice(0).forEach((giveBack) => giveBack())
    try {
      held.push(await own.slots(signal))
      held.push(await all(signal))
      return release
    } catch (error) {
      release()
      throw error
    }
  }
}
