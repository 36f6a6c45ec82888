import { KreError } from '@kre/contracts'

/** Takes a slot and returns the function that gives it back; waits while all are taken. */
export type Slots = (signal: AbortSignal) => Promise<() => void>

/** At most `max` holders at once, first come first served. */
export function createSlots(max: number): Slots {
  let free = max
  const waiting: (() => void)[] = []

  return async function take(signal) {
    if (free > 0) free -= 1
    else await waitForTurn(signal)
    let held = true
    return () => {
      if (!held) return
      held = false
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }

  function waitForTurn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.splice(waiting.indexOf(enter), 1)
        reject(new KreError('cancelled', 'the caller left before its turn came'))
      }
      const enter = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      if (signal.aborted) {
        reject(new KreError('cancelled', 'the caller left before its turn came'))
        return
      }
      waiting.push(enter)
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}
