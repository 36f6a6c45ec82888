import { useEffect, useState } from 'react'

const MINUTE_MS = 60_000
const now = (): number => Math.floor(Date.now() / MINUTE_MS)

/** Whole minutes since 1970: another value every minute. */
export function useMinute(): number {
  const [minute, setMinute] = useState(now)
  useEffect(() => {
    const timer = setInterval(() => setMinute(now()), MINUTE_MS)
    return () => clearInterval(timer)
  }, [])
  return minute
}
