export type Tasks = {
  has(id: string): boolean
  /** Exactly these have a task. */
  set(ids: readonly string[]): void
  add(id: string): void
  remove(id: string): void
  stop(): void
  /** All tasks, removed ones included, have ended. */
  ended(): Promise<void>
}

/** One task per id, each with an end of its own. */
export function createTasks(run: (id: string, signal: AbortSignal) => Promise<void>): Tasks {
  const controllers = new Map<string, AbortController>()
  const running = new Set<Promise<void>>()
  const add = (id: string): void => {
    if (controllers.has(id)) return
    const controller = new AbortController()
    controllers.set(id, controller)
    const task = run(id, controller.signal)
    running.add(task)
    void task.finally(() => running.delete(task))
  }
  const remove = (id: string): void => {
    controllers.get(id)?.abort()
    controllers.delete(id)
  }
  return {
    has: (id) => controllers.has(id),
    add,
    remove,
    stop() {
      for (const id of controllers.keys()) remove(id)
    },
    set(ids) {
      const wanted = new Set(ids)
      for (const id of controllers.keys()) if (!wanted.has(id)) remove(id)
      for (const id of wanted) add(id)
    },
    async ended() {
      await Promise.all(running)
    },
  }
}
