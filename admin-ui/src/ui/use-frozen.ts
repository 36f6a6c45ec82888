import { useCallback, useRef, useState } from 'react'

/** A value as it was when somebody began to read it, until it is renewed: nobody confirms what they did not read. */
export function useFrozen<T>(value: T): readonly [frozen: T, renew: () => void] {
  const latest = useRef(value)
  latest.current = value
  const [frozen, setFrozen] = useState(value)
  const renew = useCallback(() => setFrozen(latest.current), [])
  return [frozen, renew]
}
