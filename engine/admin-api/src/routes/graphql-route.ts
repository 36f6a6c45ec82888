import type { ServerResponse } from 'node:http'
import { KiB, KreError } from '@kre/contracts'
import { GRAPHQL_PATH, type Graphql } from '../graphql/create-graphql.ts'
import { readMultipartRequest } from '../graphql/multipart-request.ts'
import { callerKey, RECHECK_MS, type OpenStreams } from '../graphql/open-streams.ts'
import { withinTime, type EnterRun } from '../graphql/run-limits.ts'
import { bodyChunks } from '../http/body-chunks.ts'
import type { Exchange, Route } from '../http/exchange.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { readBody } from '../http/read-body.ts'
import { mediaType } from '../http/request-origin.ts'
import { isAllowed, type Principal } from '../principal.ts'
import { tooLarge, type ClaimBytes } from '../uploads/bytes-under-way.ts'
import type { UploadLimits } from '../uploads/upload-limits.ts'
import type { UploadSlots } from '../uploads/upload-slots.ts'

/** What a form has beside its file. */
const FORM_BYTES_MAX = 300 * KiB

export type GraphqlRoutesDeps = {
  graphql: Graphql
  openStreams: OpenStreams
  enterRun: EnterRun
  uploadLimits: UploadLimits
  uploadSlots: UploadSlots
  claimBytes: ClaimBytes
  /** Whether `createVersion` takes files. */
  acceptsFiles: boolean
  /** What an operation may take. */
  executionMs: number
}

/** `POST /graphql` with JSON, and `GET /graphql` for queries and event streams (yoga refuses mutations there). */
export function createGraphqlRoutes(deps: GraphqlRoutesDeps): Route[] {
  const { openStreams } = deps

  const route = (method: 'GET' | 'POST'): Route => ({
    method,
    path: GRAPHQL_PATH,
    access: 'signed-in',
    async handle(exchange) {
      const { req, res, principal, signal: gone } = exchange
      const ended = new AbortController()
      const signal = AbortSignal.any([gone, ended.signal])
      const type = mediaType(req.headers)
      try {
        if (method === 'POST' && type === 'multipart/form-data' && deps.acceptsFiles) {
          await relay(await answerUpload(deps, exchange, signal), res, principal, signal)
          return
        }
        // Only JSON: what a form can send must never be an operation.
        if (method === 'POST' && type !== 'application/json') throw notJson()
        await relay(await answer(deps, exchange, signal), res, principal, signal)
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
    const leave = openStreams.enter(principal)
    try {
      res.writeHead(response.status, { 'Content-Type': type, 'X-Accel-Buffering': 'no' })
      await relayStream(response.body, res, signal, () => openStreams.isAsBefore(principal))
    } finally {
      leave()
    }
  }

  return [route('GET'), route('POST')]
}

type SignedIn = Exchange & { readonly principal: Principal }

/** One operation, when it is the caller's turn, within its time. Of a stream only the beginning is meant. */
async function answer(
  deps: GraphqlRoutesDeps,
  { req, url, principal, requestId }: SignedIn,
  signal: AbortSignal,
): Promise<Response> {
  const method = req.method ?? ''
  const body = method === 'POST' ? await readBody(req, signal) : null
  const headers = { accept: req.headers.accept ?? '*/*', 'content-type': 'application/json' }
  return withinTime(
    async (limited) => {
      const leave = await deps.enterRun(callerKey(principal), limited)
      try {
        const context = { principal, requestId, signal: limited, file: null }
        return await deps.graphql.answer({ url, method, headers, body }, context)
      } finally {
        // What was given up goes on, and holds its place, until it ends.
        leave()
      }
    },
    signal,
    deps.executionMs,
  )
}

/** An operation with a file. The caller is looked at before the first byte, the runtime before the first of the file. */
async function answerUpload(
  deps: GraphqlRoutesDeps,
  { req, url, principal, requestId, sendContinue }: SignedIn,
  signal: AbortSignal,
): Promise<Response> {
  if (!mayUpload(principal))
    throw new KreError('permission-denied', 'you are not allowed to edit versions')
  const { uploadLimits: limits } = deps
  const announced = req.headers['content-length']
  const bytes = announced === undefined ? limits.bytesMax : Number(announced)
  const leave = await deps.claimBytes(principal.email, Math.min(bytes, limits.bytesMax))
  try {
    const release = await deps.uploadSlots(principal.email, signal)
    try {
      sendContinue()
      const bytesMax = limits.bytesMax + FORM_BYTES_MAX
      const chunks = bodyChunks(req, {
        bytesMax,
        idleMs: limits.idleMs,
        tooLarge: () => tooLarge(limits),
        signal,
      })
      const { body, file } = await readMultipartRequest(req.headers['content-type'] ?? '', chunks)
      const headers = { accept: 'application/json', 'content-type': 'application/json' }
      const context = { principal, requestId, signal, file }
      return await deps.graphql.answer({ url, method: 'POST', headers, body }, context)
    } finally {
      release()
    }
  } finally {
    leave()
  }
}

/** Whether there is any runtime that the caller may upload to. */
function mayUpload(principal: Principal): boolean {
  const somewhere = [...(principal.runtimeIds ?? principal.grants.keys()), '']
  return somewhere.some((runtimeId) => isAllowed(principal, 'edit versions', runtimeId))
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
