/** Measures time that can be paused. Calls `onExpired` once when `budgetMs` of running time are used up. */
export function createWorkClock(budgetMs: number, onExpired: () => void) {
  let left = budgetMs
  let startedAt = 0
  let timer: NodeJS.Timeout | null = null
  let expired = false

  function resume(): void {
    if (timer !== null || expired) return
    startedAt = performance.now()
    timer = setTimeout(() => {
      expired = true
      timer = null
      onExpired()
    }, left)
  }

  function pause(): void {
    if (timer === null) return
    clearTimeout(timer)
    timer = null
    left = Math.max(0, left - (performance.now() - startedAt))
  }

  resume()
  return { pause, resume, stop: pause, expired: () => expired }
}
