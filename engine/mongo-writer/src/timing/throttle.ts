/** Calls `run` at once, and for everything that comes within `everyMs` once more at the end of it. */
export type Throttle = Disposable & { hit(): void }

export function createThrottle(everyMs: number, run: () => void): Throttle {
  let timer: NodeJS.Timeout | null = null
  let again = false
  const fire = (): void => {
    again = false
    run()
    timer = setTimeout(() => {
      timer = null
      if (again) fire()
    }, everyMs)
    timer.unref()
  }
  return {
    hit() {
      if (timer === null) fire()
      else again = true
    },
    [Symbol.dispose]() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      if (again) run()
      again = false
    },
  }
}
