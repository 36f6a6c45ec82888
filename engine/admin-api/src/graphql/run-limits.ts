import { SECOND_MS } from '@kre/contracts'
import { createSlots, type Slots } from '@kre/service-kit'
import { HttpProblem } from '../http/http-problem.ts'

/** Operations of one caller that run at once; more wait their turn. */
export const RUNNING_MAX = 8
/** Operations of one caller that wait; a page of the UI asks for a dozen things at once. */
const WAITING_MAX = 64
/** Operations of one caller: in a burst, and in a second ever after. */
export const BURST_MAX = 1_000
export const RATE_PER_SECOND = 100
/** What an operation may take before it is given up. */
export const EXECUTION_MS = 10 * SECOND_MS
/** Callers that are remembered; one more, and those who are idle are forgotten. */
const CALLERS_MAX = 10_000

type Caller = { slots: Slots; held: number; tokens: number; atMs: number }

/** Takes the right to run one operation and returns the function that gives it back. */
export type EnterRun = (caller: string, signal: AbortSignal) => Promise<() => void>

/** @throws HttpProblem 429 for a caller that asks too much at once or too often. */
export function createRunLimits(nowMs: () => number = () => performance.now()): EnterRun {
  const callers = new Map<string, Caller>()

  return async function enter(key, signal) {
    const caller = callers.get(key) ?? remember(key)
    refill(caller, nowMs())
    if (caller.tokens < 1) throw tooMany('too often', `at most ${RATE_PER_SECOND} a second`)
    if (caller.held >= RUNNING_MAX + WAITING_MAX)
      throw tooMany('too much at once', `at most ${RUNNING_MAX} run, and ${WAITING_MAX} wait`)
    caller.tokens -= 1
    caller.held += 1
    let release = (): void => undefined
    let isHeld = true
    const leave = (): void => {
      if (!isHeld) return
      isHeld = false
      caller.held -= 1
      release()
    }
    try {
      release = await caller.slots(signal)
      return leave
    } catch (error) {
      leave()
      throw error
    }
  }

  function remember(key: string): Caller {
    if (callers.size >= CALLERS_MAX)
      for (const [other, { held }] of callers) if (held === 0) callers.delete(other)
    const made = { slots: createSlots(RUNNING_MAX), held: 0, tokens: BURST_MAX, atMs: nowMs() }
    callers.set(key, made)
    return made
  }
}

function refill(caller: Caller, nowMs: number): void {
  const grown = ((nowMs - caller.atMs) / SECOND_MS) * RATE_PER_SECOND
  caller.tokens = Math.min(BURST_MAX, caller.tokens + grown)
  caller.atMs = nowMs
}

/**
 * Runs an operation for at most `limitMs`; its signal is aborted then.
 *
 * @throws HttpProblem 504.
 */
export async function withinTime<T>(
  work: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  limitMs = EXECUTION_MS,
): Promise<T> {
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(tookTooLong(limitMs))
      late.abort()
    }, limitMs)
  })
  const result = work(AbortSignal.any([signal, late.signal]))
  // Given up, it may fail unheard.
  result.catch(() => undefined)
  try {
    return await Promise.race([result, timeout])
  } finally {
    clearTimeout(timer)
  }
}

function tooMany(what: string, rule: string): HttpProblem {
  return new HttpProblem(
    'resource-exhausted',
    { status: 429, wireCode: 'too_many_requests', headers: { 'Retry-After': '1' } },
    `this login or token asks ${what}: ${rule}. Wait a second`,
  )
}

function tookTooLong(limitMs: number): HttpProblem {
  return new HttpProblem(
    'deadline-exceeded',
    { status: 504, wireCode: 'timeout' },
    `the operation took longer than ${limitMs / SECOND_MS} s and was given up: ask for less at once; if it was to change something, look whether it did`,
  )
}
