import { useCallback, useSyncExternalStore } from 'react'
import type { TypedDocument } from '../gen/documents.ts'
import { createQueryCache, type Query } from './query-cache.ts'
import { runOperation } from './run-operation.ts'

/** Of this tab. */
export const queries = createQueryCache()

/**
 * The answer to a query, kept up to date by `queries.refresh…`, with a way to read it again now.
 *
 * @param variables null = there is nothing to read.
 */
export function useQuery<Result, Variables>(
  document: TypedDocument<Result, Variables>,
  variables: Variables | null,
): Query<Result> & { readonly refresh: () => Promise<void> } {
  const key = `${document.name} ${JSON.stringify(variables)}`
  const watch = useCallback(
    (listener: () => void) =>
      variables === null
        ? nothingToWatch
        : queries.watch(key, () => runOperation(document, variables), listener),
    // The key stands for document and variables.
    [key],
  )
  const state = useSyncExternalStore(watch, () => queries.state(key)) as Query<Result>
  const refresh = useCallback(() => queries.refresh(key), [key])
  return { ...state, refresh }
}

const nothingToWatch = (): void => undefined
