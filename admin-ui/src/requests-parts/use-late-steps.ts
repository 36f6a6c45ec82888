import { useEffect, useState } from 'react'
import type { KeptRequest } from '../views/waterfall.ts'

/** Nodes tell of a request about a second after it: until then the engine is asked again, so often at most. */
const LOOKS_MAX = 6
const LOOK_MS = 700
/** By the clocks of the engine and of this computer, which may differ a little. */
const YOUNG_MS = 10_000

/** Whether the steps of a request may still come. While they may, it is read again. */
export function useLateSteps(
  request: KeptRequest | null | undefined,
  refresh: () => Promise<void>,
): boolean {
  const [looks, setLooks] = useState(0)
  const isLate =
    request !== null && request !== undefined && looks < LOOKS_MAX && isYoungWithoutSteps(request)
  useEffect(() => {
    if (!isLate) return undefined
    const timer = setTimeout(() => {
      setLooks(looks + 1)
      void refresh()
    }, LOOK_MS)
    return () => clearTimeout(timer)
  }, [isLate, looks, refresh])
  return isLate
}

function isYoungWithoutSteps({ steps, startDate, elapsedMs }: KeptRequest): boolean {
  const endedAt = Date.parse(startDate) + elapsedMs
  return steps.length === 0 && Math.abs(Date.now() - endedAt) < YOUNG_MS
}
