/** Starts a process anew, in place, without the compiler that it needed only once. */
import { flushCompileCache, getCompileCacheDir } from 'node:module'
import { setImmediate } from 'node:timers/promises'

/** Says that the process has started anew: once is enough, whatever the cache does. */
const STARTED_ANEW = 'KRE_STARTED_ANEW'
const STRIPPER = 'NativeModule internal/deps/amaro/'

/**
 * Node strips types with a WebAssembly compiler that stays in memory, about 20 MB, although each file is stripped
 * once and its code kept in the compile cache. A process that had to load it writes the cache and replaces itself
 * (execve: same pid, same streams) by one that finds everything in there. Nothing happens without a compile cache
 * that somebody chose (`NODE_COMPILE_CACHE`), on a second try, and where there is no execve.
 *
 * Call it before anything is open that must not be lost.
 *
 * @param loadRest loads, without using it, what the process may need later.
 * @param signal the process is asked to end: it has no time to start anew.
 */
export async function startLean(
  environment: Readonly<Record<string, string | undefined>>,
  loadRest: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const isChosen = (environment['NODE_COMPILE_CACHE'] ?? '') !== ''
  if (!isChosen || environment[STARTED_ANEW] !== undefined) return
  if (getCompileCacheDir() === undefined || process.execve === undefined || !hasStripper()) return
  await loadRest()
  flushCompileCache()
  // A signal that came meanwhile is told now; the process that follows would not know of it.
  await setImmediate()
  if (signal.aborted) return
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  process.execve(process.execPath, args, { ...environment, [STARTED_ANEW]: '1' })
}

function hasStripper(): boolean {
  // Undocumented, so it may be gone one day: the process is larger then, nothing else.
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] }
  return moduleLoadList?.some((name) => name.startsWith(STRIPPER)) === true
}
