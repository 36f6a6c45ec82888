import { SECOND_MS } from '@kre/contracts'
import { shareReads } from '../concurrency/share-reads.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { hasSameRights, type Principal } from '../principal.ts'
import type { Principals } from '../sign-in/principals.ts'

/** Streams that one login or token may hold open: more tabs than a person watches. */
export const STREAMS_MAX = 16
/** How long a stream may outlive its login or its caller's rights, twice: a look may take as long as a wait. */
const RECHECK_MS = SECOND_MS / 2

/** What subscriptions of all doors have in common. */
export type OpenStreams = {
  /** Counts one stream and returns the function that ends it. @throws HttpProblem 429. */
  enter(principal: Principal): () => void
  /** Whether the caller may do what it might when the stream began; after any change it has to open a new one. */
  isAsBefore(principal: Principal): Promise<boolean>
  /**
   * Calls back once when the caller may not go on, or can't be looked at: who can't be checked is not served.
   *
   * @returns the function that ends the looking.
   */
  watch(principal: Principal, onLost: () => void): () => void
}

type Watcher = { readonly principal: Principal; readonly onLost: () => void }

/** However many streams there are: those of one caller are looked at together, and one timer looks at all. */
export function createOpenStreams(principals: Pick<Principals, 'again'>): OpenStreams {
  /** By login or token; the development token's streams count together. */
  const streams = new Map<string, number>()
  const watchers = new Set<Watcher>()
  let timer: NodeJS.Timeout | undefined
  const look = shareReads(callerKey, (principal: Principal) => principals.again(principal))

  async function isAsBefore(principal: Principal): Promise<boolean> {
    const now = await look(principal)
    return now !== null && hasSameRights(now, principal)
  }

  function lookAtAll(): void {
    for (const watcher of watchers) {
      const lost = (): void => void (watchers.delete(watcher) && watcher.onLost())
      isAsBefore(watcher.principal).then((goesOn) => void (goesOn || lost()), lost)
    }
  }

  return {
    enter(principal) {
      const key = callerKey(principal)
      const open = streams.get(key) ?? 0
      if (open >= STREAMS_MAX) throw tooManyStreams()
      streams.set(key, open + 1)
      return () => {
        const left = (streams.get(key) ?? 1) - 1
        if (left === 0) streams.delete(key)
        else streams.set(key, left)
      }
    },
    isAsBefore,
    watch(principal, onLost) {
      const watcher = { principal, onLost }
      watchers.add(watcher)
      timer ??= setInterval(lookAtAll, RECHECK_MS)
      return () => {
        watchers.delete(watcher)
        if (watchers.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
  }
}
/** Tells callers apart by what they proved themselves with. */
export function callerKey({ credential }: Principal): string {
  switch (credential.kind) {
    case 'owner':
      return 'owner'
    case 'login':
      return credential.loginHash
    case 'api-token':
      return credential.tokenId
  }
}

function tooManyStreams(): HttpProblem {
  return new HttpProblem(
    'resource-exhausted',
    { status: 429, wireCode: 'too_many_streams', headers: { 'Retry-After': '5' } },
    `this login or token has ${STREAMS_MAX} event streams open: close one first`,
  )
}
