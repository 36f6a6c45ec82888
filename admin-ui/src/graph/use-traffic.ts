import { useCallback, useRef, useSyncExternalStore } from 'react'
import type { ApiError } from '../api/api-error.ts'
import { WatchTraffic } from '../gen/documents.ts'
import { useSubscription } from '../live/use-subscription.ts'
import { createStore, type Store } from '../ui/store.ts'
import { useGraph } from './graph-context.ts'
import { nextTrafficView, NO_TRAFFIC, type Figures, type TrafficView } from './traffic.ts'

/** What is shown of a figure. */
export type ReadFigure<T> = (figures: Figures | undefined, isKnown: boolean) => T

/** The traffic of a version as it comes, outside of React: only what shows a number looks at it. */
export function useTraffic(
  runtimeId: string,
  versionName: string,
  isRunning: boolean,
): { store: Store<TrafficView>; error: ApiError | null } {
  const ref = useRef<Store<TrafficView> | null>(null)
  ref.current ??= createStore(NO_TRAFFIC)
  const store = ref.current
  const error = useSubscription(
    WatchTraffic,
    isRunning ? { runtimeId, versionName } : null,
    ({ watchTraffic }) => store.update((before) => nextTrafficView(before, watchTraffic)),
  )
  return { store, error }
}

/**
 * Something that is drawn differently by what a figure is now.
 *
 * @param read gives the same for the same: a number, a text, a bool.
 */
export function useFigure<T extends string | number | boolean>(
  figure: string,
  read: ReadFigure<T>,
): T {
  const { traffic } = useGraph()
  const get = useCallback(() => {
    const { figures, isKnown } = traffic.get()
    return read(figures.get(figure), isKnown)
  }, [traffic, figure, read])
  return useSyncExternalStore(traffic.subscribe, get)
}
