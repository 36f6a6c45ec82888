import type { ServerResponse } from 'node:http'
import { KiB, KreError, SECOND_MS } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { GRAPHQL_PATH, type Graphql } from '../graphql/create-graphql.ts'
import { readMultipartRequest, type MultipartRequest } from '../graphql/multipart-request.ts'
import { callerKey, type OpenStreams } from '../graphql/open-streams.ts'
import { withinTime, type EnterRun } from '../graphql/run-limits.ts'
import { bodyChunks } from '../http/body-chunks.ts'
import type { Exchange, Route } from '../http/exchange.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { readBody } from '../http/read-body.ts'
import { relayStream } from '../http/relay-stream.ts'
import { mediaType } from '../http/request-origin.ts'
import { isAllowed, type Principal } from '../principal.ts'
import { isByCookie } from '../sign-in/authenticate.ts'
import { tooLarge, type ClaimBytes } from '../uploads/bytes-under-way.ts'
import type { UploadLimits } from '../uploads/upload-limits.ts'
import type { UploadSlots } from '../uploads/upload-slots.ts'

/** What a form has beside its file. */
const FORM_BYTES_MAX = 300 * KiB

/** Writes down that an upload was refused before its operation was read. Never throws. */
export type RecordRefusedUpload = (
  refused: Pick<SignedIn, 'principal' | 'requestId'>,
  error: unknown,
) => Promise<void>

export type GraphqlRoutesDeps = {
  graphql: Graphql
  openStreams: OpenStreams
  enterRun: EnterRun
  uploadLimits: UploadLimits
  uploadSlots: UploadSlots
  claimBytes: ClaimBytes
  recordRefusedUpload: RecordRefusedUpload
  /** Whether `createVersion` takes files. */
  acceptsFiles: boolean
  /** Whether a cookie is good for nothing but the operations of the admin UI. */
  persistedOnly: boolean
  /** What an operation may take. */
  executionMs: number
  /** After which the client of an event stream that takes nothing is cut. */
  stalledMs: number
  logger: Logger
}

/** `POST /graphql` with JSON, and `GET /graphql` for queries and event streams (yoga refuses mutations there). */
export function createGraphqlRoutes(deps: GraphqlRoutesDeps): Route[] {
  const route = (method: 'GET' | 'POST'): Route => ({
    method,
    path: GRAPHQL_PATH,
    access: 'signed-in',
    async handle(exchange) {
      const { req, signal: gone } = exchange
      const ended = new AbortController()
      const signal = AbortSignal.any([gone, ended.signal])
      const type = mediaType(req.headers)
      try {
        if (method === 'POST' && type === 'multipart/form-data' && deps.acceptsFiles) {
          await relay(deps, await answerUpload(deps, exchange, signal), exchange, signal)
          return
        }
        // Only JSON: what a form can send must never be an operation.
        if (method === 'POST' && type !== 'application/json') throw notJson(type)
        if ((req.headers['content-encoding'] ?? 'identity') !== 'identity') throw encoded()
        await relay(deps, await answer(deps, exchange, signal), exchange, signal)
      } finally {
        ended.abort()
      }
    },
  })
  return [route('GET'), route('POST')]
}

type SignedIn = Exchange & { readonly principal: Principal }

async function relay(
  deps: GraphqlRoutesDeps,
  response: Response,
  { res, principal, requestId }: SignedIn,
  signal: AbortSignal,
): Promise<void> {
  const type = response.headers.get('content-type') ?? 'application/json; charset=utf-8'
  if (!type.startsWith('text/event-stream') || response.body === null) {
    if (response.status === 406) throw notAcceptable()
    await sendWhole(response, type, res)
    return
  }
  const { openStreams, stalledMs, logger } = deps
  const leave = openStreams.enter(principal)
  try {
    res.writeHead(response.status, { 'Content-Type': type, 'X-Accel-Buffering': 'no' })
    const end = await relayStream(response.body, res, {
      signal,
      stalledMs,
      isAllowed: () => openStreams.isAsBefore(principal),
      watch: (onLost) => openStreams.watch(principal, onLost),
    })
    if (end === 'stalled')
      logger.warn(
        { requestId, user: principal.email, stalledSeconds: stalledMs / SECOND_MS },
        'an event stream was cut: its client took nothing',
      )
  } finally {
    leave()
  }
}

async function sendWhole(response: Response, type: string, res: ServerResponse): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer())
  const allow = response.headers.get('allow')
  res.writeHead(response.status, {
    'Content-Type': type,
    'Content-Length': body.length,
    ...(allow === null ? {} : { Allow: allow }),
  })
  res.end(body)
}

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
        const onlyPersisted = deps.persistedOnly && isByCookie(req.headers)
        const context = { principal, requestId, signal: limited, onlyPersisted, file: null }
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

/** An operation with a file. What is refused before the operation can be read has a record all the same. */
async function answerUpload(
  deps: GraphqlRoutesDeps,
  exchange: SignedIn,
  signal: AbortSignal,
): Promise<Response> {
  const { req, url, principal, requestId } = exchange
  await using upload = await openUpload(deps, exchange, signal).catch(async (error: unknown) => {
    await deps.recordRefusedUpload(exchange, error)
    throw error
  })
  const { body, file } = upload
  const headers = { accept: 'application/json', 'content-type': 'application/json' }
  const onlyPersisted = deps.persistedOnly && isByCookie(req.headers)
  const context = { principal, requestId, signal, onlyPersisted, file }
  return await deps.graphql.answer({ url, method: 'POST', headers, body }, context)
}

/** The caller is looked at before the first byte, the runtime before the first of the file. */
async function openUpload(
  deps: GraphqlRoutesDeps,
  { req, principal, sendContinue }: SignedIn,
  signal: AbortSignal,
): Promise<MultipartRequest & AsyncDisposable> {
  if (!mayUpload(principal))
    throw new KreError('permission-denied', 'you are not allowed to edit versions')
  const { uploadLimits: limits } = deps
  const announced = req.headers['content-length']
  const bytes = announced === undefined ? limits.bytesMax : Number(announced)
  await using held = new AsyncDisposableStack()
  held.defer(await deps.claimBytes(principal.email, Math.min(bytes, limits.bytesMax)))
  held.defer(await deps.uploadSlots(principal.email, signal))
  sendContinue()
  const chunks = bodyChunks(req, {
    bytesMax: limits.bytesMax + FORM_BYTES_MAX,
    idleMs: limits.idleMs,
    tooLarge: () => tooLarge(limits),
    signal,
  })
  const request = await readMultipartRequest(req.headers['content-type'] ?? '', chunks)
  const all = held.move()
  return { ...request, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** Whether there is any runtime that the caller may upload to. */
function mayUpload(principal: Principal): boolean {
  const somewhere = [...(principal.runtimeIds ?? principal.grants.keys()), '']
  return somewhere.some((runtimeId) => isAllowed(principal, 'edit versions', runtimeId))
}

function notJson(type: string): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 415, wireCode: 'invalid_json' },
    type === 'multipart/form-data'
      ? 'this engine takes no files by GraphQL: start it with KRE_GRAPHQL_UPLOADS=true, or send the file as the body of PUT /api/v1/runtimes/{id}/versions'
      : 'send the operation as JSON, with the header Content-Type: application/json',
  )
}

function encoded(): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 415, wireCode: 'invalid_json' },
    'send the body as it is, without Content-Encoding',
  )
}

function notAcceptable(): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 406, wireCode: 'not_acceptable' },
    'ask for application/json, or for text/event-stream when the operation is a subscription',
  )
}
