import { useEffect, useRef } from 'react'
import { createStore } from '../ui/store.ts'

/** Something that can be done with what is open. */
export type OfferedAction = {
  readonly id: string
  readonly text: string
  readonly run: () => void
}

/** Of the view that is open. */
export const offeredActions = createStore<readonly OfferedAction[]>([])

/** Tells the palette what can be done here, as long as the component is there. */
export function useOfferedActions(actions: readonly OfferedAction[]): void {
  const latest = useRef(actions)
  latest.current = actions
  const key = JSON.stringify(actions.map(({ id, text }) => [id, text]))
  useEffect(() => {
    const mine = latest.current.map((action): OfferedAction => ({
      ...action,
      // What it does may be newer than what it is called.
      run: () => latest.current.find(({ id }) => id === action.id)?.run(),
    }))
    offeredActions.update((all) => [...all, ...mine])
    return () => offeredActions.update((all) => all.filter((action) => !mine.includes(action)))
  }, [key])
}
