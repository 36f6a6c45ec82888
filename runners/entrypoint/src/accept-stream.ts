import { HEALTH_SERVICE, type Health } from './doors/health.ts'
import { createFailure, type Failure, RETRY_AFTER_MS } from './grpc/failure.ts'
import { refuseStream } from './grpc/server-stream.ts'
import { type CallContext, receiveUnary } from './grpc/unary-call.ts'
import { encodeHeaders } from './http2/hpack-encoder.ts'
import type { Http2Stream } from './http2/http2-stream.ts'
import type { RequestBroker } from './requests/request-broker.ts'
import { isRouted, type ServedMethod, type ServedVersion } from './versions/served-version.ts'

const CHECK_PATH = `/${HEALTH_SERVICE}/Check`
const WATCH_PATH = `/${HEALTH_SERVICE}/Watch`
const REFLECTION_PATH = /^\/grpc\.reflection\.(v1|v1alpha)\.ServerReflection\/ServerReflectionInfo$/
const GRPC_CONTENT_TYPE = /^application\/grpc(\+proto)?\s*(;|$)/i

export type Door = (stream: Http2Stream) => void

/** Decides what becomes of a new HTTP/2 stream, by its headers alone. */
export function createDoor(deps: {
  runtimeId: string
  /** The one served version, or null = the published one. */
  version: string | null
  hasReflection: boolean
  calls: CallContext
  current: () => ServedVersion | null
  broker: RequestBroker
  health: Health
}): Door {
  const { calls, broker, health } = deps
  const doorStreams = new Set<Http2Stream>()

  const refuse = (stream: Http2Stream, failure: Failure) => {
    calls.onRefused()
    refuseStream(stream, failure)
  }

  const openDoorStream = (stream: Http2Stream): boolean => {
    for (const open of doorStreams) if (open.isClosed) doorStreams.delete(open)
    if (doorStreams.size >= calls.limits.doorStreamsMax) {
      refuse(stream, tooManyDoorStreams(calls.limits.doorStreamsMax))
      return false
    }
    doorStreams.add(stream)
    return true
  }

  const openOther = (stream: Http2Stream, path: string) => {
    if (path === CHECK_PATH)
      receiveUnary(calls, stream, (call, message) => health.check(call, message))
    else if (path === WATCH_PATH) {
      if (openDoorStream(stream))
        receiveUnary(calls, stream, (call, message) => health.watch(call, message))
    } else if (deps.hasReflection && REFLECTION_PATH.test(path)) {
      if (openDoorStream(stream)) reflect(stream, deps.current())
    } else refuse(stream, notServed(deps, path))
  }

  return (stream) => {
    const { headers } = stream
    const contentType = headers.get('content-type')
    if (
      headers.method !== 'POST' ||
      contentType === undefined ||
      (contentType !== 'application/grpc' && !GRPC_CONTENT_TYPE.test(contentType))
    ) {
      refuseHttp(stream)
      return
    }
    const { path } = headers
    const method = deps.current()?.methods.get(path)
    if (method === undefined) openOther(stream, path)
    else if (!isRouted(method)) refuse(stream, withoutWorkflow(method))
    else
      receiveUnary(calls, stream, (call, message) => broker.submit(call, headers, method, message))
  }
}

const NO_DESCRIPTORS = new Uint8Array(0)
const NOT_GRPC_HEADERS = encodeHeaders([
  [':status', '415'],
  ['content-type', 'text/plain; charset=utf-8'],
])
const NOT_GRPC_TEXT = Buffer.from(
  'This port speaks gRPC: POST with content-type application/grpc.\n',
)

/** What is not gRPC gets a plain HTTP answer (grpc/doc/PROTOCOL-HTTP2.md: 415). */
function refuseHttp(stream: Http2Stream): void {
  stream.respond(NOT_GRPC_HEADERS)
  stream.write(NOT_GRPC_TEXT)
  stream.end(null)
}

/** Most processes are never asked, so the descriptor code is not loaded with them. */
function reflect(stream: Http2Stream, version: ServedVersion | null): void {
  const early: Buffer[] = []
  let hasEnded = false
  stream.pause()
  stream.handler = {
    onData: (chunk) => void early.push(Buffer.from(chunk)),
    onEnd: () => void (hasEnded = true),
    onClose() {},
  }
  void import('./doors/reflection.ts').then(({ serveReflection }) => {
    if (stream.isClosed) return
    serveReflection(stream, version?.descriptorSet ?? NO_DESCRIPTORS)
    for (const chunk of early) stream.handler.onData(chunk)
    if (hasEnded) stream.handler.onEnd()
    stream.resume()
  })
}

function notServed(
  deps: { runtimeId: string; version: string | null; current: () => ServedVersion | null },
  path: string,
): Failure {
  const served = deps.current()
  if (served !== null) {
    return createFailure(
      'unimplemented',
      'UNKNOWN_METHOD',
      `method "${path}" is not served: version "${served.ref.version}" of runtime "${deps.runtimeId}" has ${[...served.methods.keys()].join(', ')}`,
    )
  }
  return deps.version === null
    ? createFailure(
        'unavailable',
        'NOT_PUBLISHED',
        `no version of runtime "${deps.runtimeId}" is published`,
      )
    : createFailure(
        'unavailable',
        'STARTING',
        `version "${deps.version}" of runtime "${deps.runtimeId}" is starting: its interface has not arrived from NATS yet`,
      )
}

function withoutWorkflow(method: ServedMethod): Failure {
  return createFailure(
    'unimplemented',
    'NO_WORKFLOW',
    `rpc "${method.rpc}" is declared, but no workflow of version "${method.version.ref.version}" uses it`,
  )
}

function tooManyDoorStreams(streamsMax: number): Failure {
  return createFailure(
    'resource-exhausted',
    'TOO_MANY_STREAMS',
    `${streamsMax} health watches and reflection streams are open, as many as this entrypoint takes`,
    { retryAfterMs: RETRY_AFTER_MS },
  )
}
