import { AsyncLocalStorage } from 'node:async_hooks'
import type { Done } from './audit.ts'

/**
 * What belongs to the request that is being served, for those far from its route: where it came from, and what they
 * want its record to say.
 */
export type RequestScope = {
  readonly address: string
  readonly userAgent: string
  readonly requestId: string
  /** Added to by those who do the work. */
  done: Done
  /** A login that began in the request has a record of its own, so the request needs none. */
  hasLoginRecord: boolean
}

const scopes = new AsyncLocalStorage<RequestScope>()

export function inRequestScope<T>(
  origin: Pick<RequestScope, 'address' | 'userAgent' | 'requestId'>,
  work: () => Promise<T>,
): Promise<T> {
  return scopes.run({ ...origin, done: {}, hasLoginRecord: false }, work)
}

/** Null outside of requests, for example in tests of one use case. */
export function requestScope(): RequestScope | null {
  return scopes.getStore() ?? null
}

/** Adds to the record of the request that is being served. */
export function noteDone(done: Done): void {
  const scope = requestScope()
  if (scope !== null) scope.done = { ...scope.done, ...done }
}

/** What was added since the last call: a request may do several things, one after the other. */
export function takeDone(): Done {
  const scope = requestScope()
  if (scope === null) return {}
  const { done } = scope
  scope.done = {}
  return done
}
