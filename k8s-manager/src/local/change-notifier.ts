/** Tells watchers of changed workloads: each id once, however many changes one turn of the loop brings. */
export function createChangeNotifier(onListenerError: (error: unknown) => void) {
  const listeners = new Set<(workloadId: string) => void>()
  const changed = new Set<string>()
  const flush = () => {
    const ids = [...changed]
    changed.clear()
    for (const listener of listeners)
      for (const id of ids)
        try {
          listener(id)
        } catch (error) {
          onListenerError(error)
        }
  }
  return {
    notify(workloadId: string) {
      if (changed.size === 0) setImmediate(flush)
      changed.add(workloadId)
    },
    watch(listener: (workloadId: string) => void): () => void {
      // An own function per call, so that one callback can watch twice and stop once.
      const own = (id: string) => listener(id)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
  }
}
