import type { ServerResponse } from 'node:http'
import { SECOND_MS } from '@kre/contracts'
import { GRAPHQL_PATH, type Graphql } from '../graphql/create-graphql.ts'
import type { Route } from '../http/exchange.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { readBody } from '../http/read-body.ts'
import { mediaType } from '../http/request-origin.ts'
import { hasSameRights, type Principal } from '../principal.ts'
import type { Principals } from '../sign-in/principals.ts'

/** Streams that one login or token may hold open: more tabs than a person watches. */
export const STREAMS_MAX = 16
/** How long a stream may outlive its login or its caller's rights, twice: a look may take as long as a wait. */
const RECHECK_MS = SECOND_MS / 2

/** `POST /graphql` with JSON, and `GET /graphql` for queries and event streams (yoga refuses mutations there). */
export function createGraphqlRoutes(deps: { graphql: Graphql; principals: Principals }): Route[] {
  /** By login or token; the development token's streams count together. */
  const streams = new Map<string, number>()

  const route = (method: 'GET' | 'POST'): Route => ({
    method,
    path: GRAPHQL_PATH,
    access: 'signed-in',
    async handle({ req, res, url, principal, requestId, signal: gone }) {
      // Only JSON: what a form can send must never be an operation.
      if (method === 'POST' && mediaType(req.headers) !== 'application/json') throw notJson()
      const ended = new AbortController()
      const signal = AbortSignal.any([gone, ended.signal])
      const body = method === 'POST' ? await readBody(req, gone) : null
      const headers = { accept: req.headers.accept ?? '*/*', 'content-type': 'application/json' }
      const response = await deps.graphql(
        { url, method, headers, body },
        { principal, requestId, signal },
      )
      try {
        await relay(response, res, principal, signal)
      } finally {
        ended.abort()
      }
    },
  })

  async function relay(
    response: Response,
    res: ServerResponse,
    principal: Principal,
    signal: AbortSignal,
  ): Promise<void> {
    const type = response.headers.get('content-type') ?? 'application/json; charset=utf-8'
    if (!type.startsWith('text/event-stream') || response.body === null) {
      if (response.status === 406) throw notAcceptable()
      const body = Buffer.from(await response.arrayBuffer())
      const allow = response.headers.get('allow')
      res.writeHead(response.status, {
        'Content-Type': type,
        'Content-Length': body.length,
        ...(allow === null ? {} : { Allow: allow }),
      })
      res.end(body)
      return
    }
    const leave = enter(streams, streamOwner(principal))
    try {
      res.writeHead(response.status, { 'Content-Type': type, 'X-Accel-Buffering': 'no' })
      await relayStream(response.body, res, signal, () => isAsBefore(deps.principals, principal))
    } finally {
      leave()
    }
  }

  return [route('GET'), route('POST')]
}

/** Passes chunks on, no faster than the client takes them, until the end, the client's leave or the login's end. */
async function relayStream(
  body: ReadableStream<Uint8Array>,
  res: ServerResponse,
  signal: AbortSignal,
  isAllowed: () => Promise<boolean>,
): Promise<void> {
  const reader = body.getReader()
  // Cancelling an ended stream is fine; a failing one reports through `read`.
  const cancel = (): void => void reader.cancel().catch(() => undefined)
  const recheck = setInterval(() => {
    isAllowed().then(
      (allowed) => void (allowed || cancel()),
      // Who can't be checked is not served.
      cancel,
    )
  }, RECHECK_MS)
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done || !(await isAllowed())) break
      if (!res.write(value)) await drained(res, signal)
    }
  } finally {
    clearInterval(recheck)
    signal.removeEventListener('abort', cancel)
    cancel()
    res.end()
  }
}

function drained(res: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      res.off('drain', go)
      signal.removeEventListener('abort', go)
      resolve()
    }
    res.once('drain', go)
    signal.addEventListener('abort', go, { once: true })
    if (signal.aborted) go()
  })
}

/** Whether the caller may do what it might when the stream began; after any change it has to open a new one. */
async function isAsBefore(principals: Principals, principal: Principal): Promise<boolean> {
  const now = await principals.again(principal)
  return now !== null && hasSameRights(now, principal)
}

function streamOwner({ credential }: Principal): string {
  switch (credential.kind) {
    case 'owner':
      return 'owner'
    case 'login':
      return credential.loginHash
    case 'api-token':
      return credential.tokenId
  }
}

function enter(streams: Map<string, number>, key: string): () => void {
  const open = streams.get(key) ?? 0
  if (open >= STREAMS_MAX) throw tooManyStreams()
  streams.set(key, open + 1)
  return () => {
    const left = (streams.get(key) ?? 1) - 1
    if (left === 0) streams.delete(key)
    else streams.set(key, left)
  }
}

function notJson(): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 415, wireCode: 'invalid_json' },
    'send the operation as JSON, with the header Content-Type: application/json',
  )
}

function notAcceptable(): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 406, wireCode: 'not_acceptable' },
    'ask for application/json, or for text/event-stream when the operation is a subscription',
  )
}

function tooManyStreams(): HttpProblem {
  return new HttpProblem(
    'resource-exhausted',
    { status: 429, wireCode: 'too_many_streams', headers: { 'Retry-After': '5' } },
    `this login or token has ${STREAMS_MAX} event streams open: close one first`,
  )
}
