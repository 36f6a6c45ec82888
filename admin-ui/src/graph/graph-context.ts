import { createContext, useContext } from 'react'
import type { Store } from '../ui/store.ts'
import type { TrafficView } from './traffic.ts'

type GraphContext = { readonly workflowId: string; readonly traffic: Store<TrafficView> }

const Context = createContext<GraphContext | null>(null)
export const GraphProvider = Context.Provider

/** What all that shows a workflow shares: picture, table and details. */
export function useGraph(): GraphContext {
  const value = useContext(Context)
  if (value === null) throw new Error('a part of a graph stands outside of one')
  return value
}
