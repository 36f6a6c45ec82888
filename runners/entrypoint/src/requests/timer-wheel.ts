/** Width of a slot: timers fire up to so much late, never early. */
const TICK_MS = 10
/** One turn is about ten seconds; timers further away stay in their slot for several turns. */
const SLOTS = 1024

/** A timer is made once with its owner and scheduled any number of times. */
export type WheelTimer = {
  readonly fire: () => void
  /** Tick it fires at; 0 = not scheduled. */
  tick: number
  next: WheelTimer | null
  previous: WheelTimer | null
  slot: number
}

export type TimerWheel = {
  /** Fires once, `delayMs` from now or up to one tick later. Replaces the timer's earlier schedule. */
  schedule(timer: WheelTimer, delayMs: number): void
  cancel(timer: WheelTimer): void
  /** Forgets all timers. */
  stop(): void
}

export function createWheelTimer(fire: () => void): WheelTimer {
  return { fire, tick: 0, next: null, previous: null, slot: 0 }
}

/**
 * One interval for all deadlines of the process: a `setTimeout` per request costs more than the rest of its
 * bookkeeping. The interval runs only while a timer is scheduled.
 *
 * @param now monotonic, in ms.
 */
export function createTimerWheel(now: () => number = () => performance.now()): TimerWheel {
  const slots: (WheelTimer | null)[] = Array.from({ length: SLOTS }, () => null)
  let interval: NodeJS.Timeout | null = null
  let scheduled = 0
  let tick = 0

  const unlink = (timer: WheelTimer) => {
    if (timer.previous === null) slots[timer.slot] = timer.next
    else timer.previous.next = timer.next
    if (timer.next !== null) timer.next.previous = timer.previous
    timer.next = null
    timer.previous = null
    timer.tick = 0
    scheduled--
  }

  const fireSlot = (index: number, until: number) => {
    // Collected first: a firing timer may schedule or cancel others of the same slot.
    const due: WheelTimer[] = []
    for (let timer = slots[index] ?? null; timer !== null; timer = timer.next)
      if (timer.tick <= until) due.push(timer)
    for (const timer of due) {
      if (timer.tick === 0 || timer.tick > until) continue
      unlink(timer)
      timer.fire()
    }
  }

  const turn = () => {
    const current = Math.floor(now() / TICK_MS)
    // After a long pause one whole turn visits every slot, which is enough.
    for (tick = Math.max(tick + 1, current - SLOTS + 1); tick <= current; tick++)
      // What is scheduled meanwhile for a time that is over goes into a slot that is still to come.
      fireSlot(tick % SLOTS, current)
    tick = current
    if (scheduled === 0) stop()
  }

  const stop = () => {
    if (interval !== null) clearInterval(interval)
    interval = null
  }

  return {
    schedule(timer, delayMs) {
      if (timer.tick !== 0) unlink(timer)
      const at = now()
      if (interval === null) {
        tick = Math.floor(at / TICK_MS)
        interval = setInterval(turn, TICK_MS)
      }
      timer.tick = Math.max(tick + 1, Math.ceil((at + delayMs) / TICK_MS))
      timer.slot = timer.tick % SLOTS
      const head = slots[timer.slot] ?? null
      timer.next = head
      if (head !== null) head.previous = timer
      slots[timer.slot] = timer
      scheduled++
    },
    cancel(timer) {
      if (timer.tick !== 0) unlink(timer)
    },
    stop() {
      stop()
      slots.fill(null)
      scheduled = 0
    },
  }
}
