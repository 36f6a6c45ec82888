import { useEffect, useRef, useState } from 'react'
import type { ApiError } from '../api/api-error.ts'
import type { TypedDocument } from '../gen/documents.ts'
import { subscribe } from './socket.ts'

/** Hands every event of a subscription over while the view is there. @returns why there are none. */
export function useSubscription<Result, Variables>(
  document: TypedDocument<Result, Variables>,
  variables: Variables | null,
  onEvent: (result: Result) => void,
): ApiError | null {
  const [error, setError] = useState<ApiError | null>(null)
  const latest = useRef(onEvent)
  latest.current = onEvent
  const key = JSON.stringify(variables)
  useEffect(() => {
    if (variables === null) return
    setError(null)
    return subscribe(document, variables, {
      next: (result) => latest.current(result),
      error: setError,
    })
    // The key stands for the variables.
  }, [document, key])
  return error
}
