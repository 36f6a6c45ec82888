import { useStore } from '@xyflow/react'

/** Farther away than this, figures are too small to be read: names take their place. */
const FAR_ZOOM = 0.62

/** Whether the graph is looked at from far away. */
export function useIsFar(): boolean {
  return useStore(({ transform }) => transform[2] < FAR_ZOOM)
}
