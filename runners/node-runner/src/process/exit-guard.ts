/** Keeps user code from ending the process without a word. */

/** @param onEnd told what happened; the process ends only when it is done. */
export function guardExit(onEnd: (what: string) => void): void {
  const exit = (code?: number | string | null): never => {
    onEnd(`user code called process.exit(${code ?? process.exitCode ?? 0})`)
    // Whoever called it does not expect to go on.
    throw new Error('process.exit was called: the node is ending')
  }
  process.exit = exit as typeof process.exit
  process.abort = () => {
    onEnd('user code called process.abort()')
    throw new Error('process.abort was called: the node is ending')
  }
  process.on('uncaughtException', (error) =>
    onEnd(`user code threw outside of a handler: ${describe(error)}`),
  )
  process.on('unhandledRejection', (reason) =>
    onEnd(`user code left a rejected promise behind: ${describe(reason)}`),
  )
}

function describe(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
}
