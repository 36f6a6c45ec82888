import { KreError, SECOND_MS } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'
import type { LivePicture } from './live-pictures.ts'
import type { Traffic } from './read-traffic.ts'

const EVERY_MS = SECOND_MS

type WatchTrafficDeps = Pick<FeatureDeps, 'runtimes' | 'versions'> & { livePicture: LivePicture }

/**
 * The traffic of a version's last seconds, every second.
 *
 * @throws KreError `not-found`, `unimplemented` where this process collects no metrics.
 */
export async function watchTraffic(
  deps: WatchTrafficDeps,
  command: { principal: Principal; runtimeId: string; versionName: string; signal: AbortSignal },
): Promise<AsyncIterableIterator<Traffic, undefined>> {
  const { principal, runtimeId, versionName, signal } = command
  authorize(principal, 'view traffic', runtimeId)
  const { name } = await requireVersion(deps, runtimeId, versionName)
  const { livePicture } = deps
  if (livePicture === null)
    throw new KreError('unimplemented', 'this engine does not collect metrics')
  return everySecond(signal, () => livePicture(runtimeId, name))
}

/** The first value at once. A consumer that is slow misses values and piles up none. */
function everySecond<T>(signal: AbortSignal, read: () => T): AsyncIterableIterator<T, undefined> {
  let nextAt = performance.now()
  let wake = (): void => undefined
  let ended = signal.aborted
  const end = () => {
    ended = true
    signal.removeEventListener('abort', end)
    wake()
  }
  signal.addEventListener('abort', end)
  return {
    async next() {
      const pauseMs = nextAt - performance.now()
      if (pauseMs > 0 && !ended)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, pauseMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      if (ended) return { done: true, value: undefined }
      nextAt = Math.max(nextAt + EVERY_MS, performance.now())
      return { done: false, value: read() }
    },
    async return() {
      end()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
