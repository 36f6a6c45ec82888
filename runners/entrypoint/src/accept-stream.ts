import type { DoorExchange } from './doors/door-port.ts'
import { HEALTH_SERVICE, type Health } from './doors/health.ts'
import { openHttp2Exchange } from './doors/http2-exchange.ts'
import type { UnaryTarget } from './doors/web-door.ts'
import { createFailure, type Failure, RETRY_AFTER_MS } from './grpc/failure.ts'
import { refuseStream } from './grpc/server-stream.ts'
import { type CallContext, receiveUnary } from './grpc/unary-call.ts'
import type { Http2Stream } from './http2/http2-stream.ts'
import type { RequestBroker } from './requests/request-broker.ts'
import { lazily, serveLazily } from './lazily.ts'
import { isRouted, type ServedMethod, type ServedVersion } from './versions/served-version.ts'

const CHECK_PATH = `/${HEALTH_SERVICE}/Check`
const WATCH_PATH = `/${HEALTH_SERVICE}/Watch`
const INFERENCE_PREFIX = '/inference.GRPCInferenceService/'
const STREAM_INFER_PATH = `${INFERENCE_PREFIX}ModelStreamInfer`
const REFLECTION_PATH = /^\/grpc\.reflection\.(v1|v1alpha)\.ServerReflection\/ServerReflectionInfo$/
const GRPC_CONTENT_TYPE = /^application\/grpc(\+proto)?\s*(;|$)/i

export type Door = {
  /** A request over HTTP/2. */
  readonly onStream: (stream: Http2Stream) => void
  /** A request over HTTP/1, which is never gRPC. */
  readonly onExchange: (exchange: DoorExchange) => void
  /** Streams of inferences take no more requests, and end when those they have are answered. */
  readonly drain: () => void
}

type DoorDeps = {
  runtimeId: string
  /** The one served version, or null = the published one. */
  version: string | null
  hasReflection: boolean
  /** Origins of pages that may read answers. */
  origins: readonly string[]
  calls: CallContext
  current: () => ServedVersion | null
  /** Resolves when `current` is what is published now. */
  look: () => Promise<void>
  broker: RequestBroker
  health: Health
  /** Connected to NATS and not stopping. */
  isUp: () => boolean
}

/** Decides what becomes of a new request, by its headers alone. */
export function createDoor(deps: DoorDeps): Door {
  const { calls, broker, health } = deps
  const doorStreams = new Set<Http2Stream>()
  // Most processes are never asked, so the code of these doors is not loaded with them.
  const reflection = lazily(() => import('./doors/reflection.ts'))
  const http = lazily(async () => {
    const { createHttpDoor } = await import('./doors/http-door.ts')
    return createHttpDoor({ ...deps, withoutVersion: () => withoutVersion(deps), findUnary })
  })
  const inference = lazily(async () => {
    const { createOipGrpc } = await import('./doors/oip/oip-grpc.ts')
    return createOipGrpc({
      ...deps,
      withoutVersion: () => withoutVersion(deps),
      payloadBytesMax: calls.payloadBytesMax,
      onRefused: calls.onRefused,
    })
  })
  const serveInference = (path: string): UnaryTarget => {
    const rpc = path.slice(INFERENCE_PREFIX.length)
    return (caller, headers, message) =>
      inference.use((service) => service.serveUnary(rpc, caller, headers, message))
  }
  const findUnary = (path: string): UnaryTarget | Failure => {
    const method = deps.current()?.methods.get(path)
    if (path === CHECK_PATH) return (caller, _headers, message) => health.check(caller, message)
    if (path.startsWith(INFERENCE_PREFIX)) return serveInference(path)
    if (method === undefined) return notServed(deps, path)
    if (!isRouted(method)) return withoutWorkflow(method)
    return (caller, headers, message) => broker.submit(caller, headers, method, message)
  }

  const refuse = (stream: Http2Stream, failure: Failure) => {
    calls.onRefused(failure.reason)
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
    else if (path === STREAM_INFER_PATH) {
      if (openDoorStream(stream))
        serveLazily(stream, inference, (service) => service.serveStream(stream))
    } else if (path.startsWith(INFERENCE_PREFIX)) {
      const serve = serveInference(path)
      receiveUnary(calls, stream, (call, message) => serve(call, stream.headers, message))
    } else if (path === WATCH_PATH) {
      if (openDoorStream(stream))
        receiveUnary(calls, stream, (call, message) => health.watch(call, message))
    } else if (deps.hasReflection && REFLECTION_PATH.test(path)) {
      if (!openDoorStream(stream)) return
      const descriptorSet = deps.current()?.descriptorSet ?? NO_DESCRIPTORS
      serveLazily(stream, reflection, (door) => door.serveReflection(stream, descriptorSet))
    } else refuse(stream, notServed(deps, path))
  }

  let looking: Promise<void> | null = null
  const look = () => (looking ??= deps.look().finally(() => (looking = null)))
  /** Whoever learns of a publication at once may be faster than the news of it is here. */
  const isNewsDue = () => deps.version === null && deps.current() === null && deps.isUp()

  const open = (stream: Http2Stream) => {
    const { headers } = stream
    const contentType = headers.get('content-type')
    if (
      headers.method !== 'POST' ||
      contentType === undefined ||
      (contentType !== 'application/grpc' && !GRPC_CONTENT_TYPE.test(contentType))
    ) {
      serveLazily(stream, http, (serve) => serve(openHttp2Exchange(stream)))
      return
    }
    const { path } = headers
    const method = deps.current()?.methods.get(path)
    if (method === undefined) openOther(stream, path)
    else if (!isRouted(method)) refuse(stream, withoutWorkflow(method))
    else
      receiveUnary(calls, stream, (call, message) => broker.submit(call, headers, method, message))
  }

  return {
    onStream(stream) {
      if (isNewsDue()) serveLazily(stream, lazily(look), () => open(stream))
      else open(stream)
    },
    onExchange(exchange) {
      const serve = () => http.use((door) => door(exchange))
      if (isNewsDue()) void look().then(serve)
      else serve()
    },
    drain() {
      if (inference.isLoaded) inference.use((service) => service.drain())
    },
  }
}

const NO_DESCRIPTORS = new Uint8Array(0)

function notServed(deps: DoorDeps, path: string): Failure {
  const served = deps.current()
  if (served === null) return withoutVersion(deps)
  return createFailure(
    'unimplemented',
    'UNKNOWN_METHOD',
    `method "${path}" is not served: version "${served.ref.version}" of runtime "${deps.runtimeId}" has ${[...served.methods.keys()].join(', ')}`,
  )
}

function withoutVersion(deps: DoorDeps): Failure {
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
    `${streamsMax} health watches, reflection and inference streams are open, as many as this entrypoint takes`,
    { retryAfterMs: RETRY_AFTER_MS },
  )
}
