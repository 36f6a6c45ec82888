/** Objects of one kind as they are now: listed once, then kept up to date by a watch; listed again when that can't go on. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KreError, SECOND_MS, toKreError } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { type ClusterObject, type Kind, pathOf } from './kinds.ts'
import { listObjects } from './cluster-objects.ts'
import type { Cluster } from './open-cluster.ts'
import { toClusterError } from './to-cluster-error.ts'

export type WatchedObjects<T extends ClusterObject> = {
  values(): Iterable<T>
  get(name: string): T | undefined
  /** Takes what a request has just answered, ahead of the watch. */
  put(object: T): void
  /** Resolves when the first list is there, or could not be had: then `problem` says why. */
  whenAnswered(): Promise<void>
  /** Why what is known may be old; null = it is not. */
  problem(): KreError | null
}

export type WatchDeps = {
  cluster: Pick<Cluster, 'request' | 'stream'>
  namespace: string
  /** Label selector. */
  selector: string
  logger: Logger
  signal: AbortSignal
}

/** The server ends a watch then; the next one goes on where it was. */
const WATCH_S = 290
/** Between tries, doubled each time. A handful of kinds is watched, and a cluster in trouble is not asked more often than that. */
const RETRY_MS = SECOND_MS
const RETRY_MS_MAX = 30 * SECOND_MS
/** A watch that lasted so long was no failed try. */
const PROVEN_MS = 10 * SECOND_MS

/**
 * @param onChange called with what there was before (null = nothing) and what there is now (null = nothing).
 * @param keep what is kept of each object; absent = all of it.
 */
export function watchObjects<T extends ClusterObject>(
  kind: Kind,
  { cluster, namespace, selector, logger, signal }: WatchDeps,
  onChange: (before: T | null, now: T | null) => void,
  keep: (object: T) => T = (object) => object,
): WatchedObjects<T> {
  const objects = new Map<string, T>()
  const answered = Promise.withResolvers<void>()
  let problem: KreError | null = new KreError('unavailable', `${kind}s are not listed yet`)

  const put = (whole: T) => {
    const object = keep(whole)
    const name = object.metadata?.name ?? ''
    const before = objects.get(name) ?? null
    if (before !== null && isOlder(object, before)) return
    objects.set(name, object)
    onChange(before, object)
  }
  /** @param uid only if it is still that one: another may have been put in its place. */
  const drop = (name: string, uid?: string) => {
    const before = objects.get(name)
    if (before === undefined || (uid !== undefined && before.metadata?.uid !== uid)) return
    objects.delete(name)
    onChange(before, null)
  }

  /** @returns the version to watch from. */
  const list = async (): Promise<string> => {
    const { items, resourceVersion } = await listObjects(cluster, kind, namespace, selector, signal)
    const there = new Set(items.map(({ metadata }) => metadata?.name ?? ''))
    for (const name of objects.keys()) if (!there.has(name)) drop(name)
    for (const item of items) put(item as T)
    problem = null
    answered.resolve()
    return resourceVersion
  }

  /** @returns the version to go on from; empty = the server does not know ours any more. */
  const watch = async (from: string): Promise<string> => {
    const query = new URLSearchParams({
      labelSelector: selector,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(WATCH_S),
    })
    const answer = await cluster.stream(`${pathOf(kind, namespace)}?${query}`, signal)
    if ('status' in answer) {
      if (answer.status === GONE) return ''
      throw toClusterError(answer.status, answer.body, { verb: 'watch', kind, namespace })
    }
    problem = null
    let version = from
    for await (const line of answer) {
      const event = parseEvent(line)
      if (event.type === 'ERROR') {
        if (event.object.code === GONE) return ''
        throw toClusterError(event.object.code ?? 500, line, { verb: 'watch', kind, namespace })
      }
      version = event.object.metadata?.resourceVersion ?? version
      if (event.type === 'DELETED')
        drop(event.object.metadata?.name ?? '', event.object.metadata?.uid)
      else if (event.type !== 'BOOKMARK') put(event.object as T)
    }
    return version
  }

  const run = async () => {
    let version = ''
    let retryMs = RETRY_MS
    while (!signal.aborted) {
      const startedMs = performance.now()
      try {
        version = version === '' ? await list() : await watch(version)
        // Also a watch that the server ends at once must not become a flood.
        if (performance.now() - startedMs > PROVEN_MS) retryMs = RETRY_MS
        else if (version === '') await pause(retryMs)
      } catch (error) {
        if (signal.aborted) return
        problem = toKreError(error)
        answered.resolve()
        if (isGone(problem)) version = ''
        logger.warn(
          { kind, retryMs, reason: problem.message },
          'objects of the cluster are not watched',
        )
        await pause(retryMs)
        retryMs = Math.min(RETRY_MS_MAX, retryMs * 2)
      }
    }
  }
  const pause = async (ms: number) => {
    // Not all at the same moment, after a server was away.
    await sleep(ms * (1 + Math.random()), undefined, { signal }).catch(() => undefined)
  }
  void run()

  return {
    values: () => objects.values(),
    get: (name) => objects.get(name),
    put,
    whenAnswered: async () => answered.promise,
    problem: () => problem,
  }
}

const GONE = 410

type WatchEvent = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: ClusterObject & { readonly code?: number }
}

/** @throws KreError `unavailable` for half a line: the connection broke there. */
function parseEvent(line: string): WatchEvent {
  try {
    const event = JSON.parse(line) as Partial<WatchEvent> | null
    if (event?.type !== undefined && event.object !== undefined) return event as WatchEvent
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new KreError('unavailable', `the cluster sent half an event (${line.length} characters)`)
}

function isGone({ details }: KreError): boolean {
  return details['status'] === GONE
}

/** Versions are numbers that grow, if not by the documentation then by every server there is. */
function isOlder(a: ClusterObject, b: ClusterObject): boolean {
  const [left, right] = [a, b].map(({ metadata }) => metadata?.resourceVersion ?? '')
  if (a.metadata?.uid !== b.metadata?.uid) return false
  if (!isNumber(left) || !isNumber(right)) return false
  return BigInt(left) < BigInt(right)
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,20}$/.test(text)
}
