import { useEffect, useRef, useState } from 'react'
import type { ApiError } from '../api/api-error.ts'
import type { TypedDocument } from '../gen/documents.ts'
import { useStore } from '../ui/store.ts'
import { subscribe } from './socket.ts'
import { watched } from './watched.ts'

/** A stream that the engine refused, for example for too many at once, is asked for again after so long, in ms. */
const RETRY_MS = 5_000

/**
 * Hands every event of a subscription over while the view is there and may be seen.
 *
 * @param variables null = there is nothing to hear now.
 * @returns why there are no events; it is tried again meanwhile.
 */
export function useSubscription<Result, Variables>(
  document: TypedDocument<Result, Variables>,
  variables: Variables | null,
  onEvent: (result: Result) => void,
): ApiError | null {
  const [error, setError] = useState<ApiError | null>(null)
  const latest = useRef(onEvent)
  latest.current = onEvent
  const key = JSON.stringify(variables)
  const isWatched = useStore(watched)
  useEffect(() => {
    if (variables === null || !isWatched) return
    let stop = (): void => undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    const begin = (): void => {
      stop = subscribe(document, variables, {
        next(result) {
          setError(null)
          latest.current(result)
        },
        error(problem) {
          setError(problem)
          stop()
          clearTimeout(timer)
          timer = setTimeout(begin, RETRY_MS)
        },
      })
    }
    begin()
    return () => {
      clearTimeout(timer)
      stop()
      setError(null)
    }
    // The key stands for the variables.
  }, [document, key, isWatched])
  return error
}
