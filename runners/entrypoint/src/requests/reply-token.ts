/** The last part of a reply subject: which request a message answers, and of a stream which sending. Pure. */
import type { PendingRequest } from './pending-request.ts'

/** Between the request and the number of the sending, in the reply subjects of streams. */
const ATTEMPT_MARK = '_'
const DOT = 0x2e

/** Of the request it may be; check with `isTokenOf`, as this takes what only begins like a token. */
export function idOf(token: string): number {
  return Number.parseInt(token, 36)
}

/** Whether the token is written as it was given: a wrong subject is nobody's. */
export function isTokenOf({ replyTo, stream }: PendingRequest, token: string): boolean {
  const own = stream === null ? token : token.slice(0, token.indexOf(ATTEMPT_MARK))
  return replyTo.endsWith(own) && replyTo.charCodeAt(replyTo.length - own.length - 1) === DOT
}

/** Each sending has a subject of its own, so that frames of one are never taken for those of another. */
export function streamReplyTo(request: PendingRequest): string {
  return request.replyTo + ATTEMPT_MARK + (request.attempt + 1)
}

/** The number of the sending, from 1. */
export function attemptOf(token: string): number {
  return Number(token.slice(token.indexOf(ATTEMPT_MARK) + 1))
}
