import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { HEALTH_SERVICE, type Health } from './doors/health.ts'
import { createFailure, type Failure, RETRY_AFTER_MS } from './grpc/failure.ts'
import { refuseStream } from './grpc/server-stream.ts'
import { type CallContext, ignoreStreamError, receiveUnary } from './grpc/unary-call.ts'
import type { RequestBroker } from './requests/request-broker.ts'
import { isRouted, type ServedMethod, type ServedVersion } from './versions/served-version.ts'

const CHECK_PATH = `/${HEALTH_SERVICE}/Check`
const WATCH_PATH = `/${HEALTH_SERVICE}/Watch`
const REFLECTION_PATH = /^\/grpc\.reflection\.(v1|v1alpha)\.ServerReflection\/ServerReflectionInfo$/
const GRPC_CONTENT_TYPE = /^application\/grpc(\+proto)?\s*(;|$)/i

export type Door = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

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
  let doorStreams = 0

  const refuse = (stream: ServerHttp2Stream, failure: Failure) => {
    calls.onRefused()
    refuseStream(stream, failure)
  }

  const openDoorStream = (stream: ServerHttp2Stream): boolean => {
    if (doorStreams >= calls.limits.doorStreamsMax) {
      refuse(stream, tooManyDoorStreams(calls.limits.doorStreamsMax))
      return false
    }
    doorStreams++
    stream.once('close', () => void doorStreams--)
    return true
  }

  const reflect = async (stream: ServerHttp2Stream) => {
    stream.on('error', ignoreStreamError)
    // Most processes are never asked, so the descriptor code is not loaded with them.
    const { serveReflection } = await import('./doors/reflection.ts')
    if (!stream.destroyed) serveReflection(stream, deps.current()?.descriptorSet ?? NO_DESCRIPTORS)
  }

  const openOther = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, path: string) => {
    if (path === CHECK_PATH)
      receiveUnary(calls, stream, headers, (call, message) => health.check(call, message))
    else if (path === WATCH_PATH) {
      if (openDoorStream(stream))
        receiveUnary(calls, stream, headers, (call, message) => health.watch(call, message))
    } else if (deps.hasReflection && REFLECTION_PATH.test(path)) {
      if (openDoorStream(stream)) void reflect(stream)
    } else refuse(stream, notServed(deps, path))
  }

  return (stream, headers) => {
    const contentType = headers['content-type']
    if (
      headers[':method'] !== 'POST' ||
      contentType === undefined ||
      (contentType !== 'application/grpc' && !GRPC_CONTENT_TYPE.test(contentType))
    ) {
      refuseHttp(stream)
      return
    }
    const path = headers[':path'] ?? ''
    const method = deps.current()?.methods.get(path)
    if (method === undefined) openOther(stream, headers, path)
    else if (!isRouted(method)) refuse(stream, withoutWorkflow(method))
    else
      receiveUnary(calls, stream, headers, (call, message) =>
        broker.submit(call, headers, method, message),
      )
  }
}

const NO_DESCRIPTORS = new Uint8Array(0)

/** What is not gRPC gets a plain HTTP answer (grpc/doc/PROTOCOL-HTTP2.md: 415). */
function refuseHttp(stream: ServerHttp2Stream): void {
  stream.on('error', ignoreStreamError)
  if (stream.destroyed || stream.closed) return
  stream.respond({ ':status': 415, 'content-type': 'text/plain; charset=utf-8' })
  stream.end('This port speaks gRPC: POST with content-type application/grpc.\n')
  stream.close()
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
