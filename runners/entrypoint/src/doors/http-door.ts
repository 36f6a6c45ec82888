/** Decides what becomes of a request that is not gRPC, by its method, path and content type. */
import { toKreError } from '@kre/contracts/runtime'
import { createFailure, type Failure } from '../grpc/failure.ts'
import type { CallContext } from '../grpc/unary-call.ts'
import type { RequestHeaders } from '../http2/request-headers.ts'
import { openApi } from '../json/open-api.ts'
import { findRoute } from '../json/route.ts'
import { typesOf, type VersionTypes } from '../json/version-types.ts'
import type { RequestBroker } from '../requests/request-broker.ts'
import type { ServedVersion } from '../versions/served-version.ts'
import { createCors } from './cors.ts'
import type { DoorExchange } from './door-port.ts'
import type { Health } from './health.ts'
import { HttpCall } from './http-call.ts'
import { createJsonDoor } from './json-door.ts'
import { createOipRest, renderOipFailure } from './oip/oip-rest.ts'
import type { OipDeps } from './oip/oip-service.ts'
import { JSON_TYPE, type RenderFailure, renderStatus } from './status-json.ts'
import { isGrpcWeb, renderWebFailure, serveWeb, type UnaryTarget } from './web-door.ts'

export type HttpDoorDeps = {
  readonly runtimeId: string
  readonly hasReflection: boolean
  /** Pages of these origins may read answers. */
  readonly origins: readonly string[]
  readonly calls: CallContext
  readonly current: () => ServedVersion | null
  readonly broker: RequestBroker
  readonly health: Health
  /** Connected to NATS and not stopping. */
  readonly isUp: () => boolean
  /** Why there is no version to serve. */
  readonly withoutVersion: () => Failure
  /** Who serves a gRPC path, or why nobody does. */
  readonly findUnary: (path: string) => UnaryTarget | Failure
}

export type HttpDoor = (exchange: DoorExchange) => void

type Document = { readonly type: string; readonly bytes: Uint8Array }

const EMPTY = new Uint8Array(0)
/** A google.protobuf.FileDescriptorSet, which `protoc --descriptor_set_in` and `grpcurl -protoset` read. */
const DESCRIPTORS_TYPE = 'application/x-protobuf; messageType="google.protobuf.FileDescriptorSet"'

export function createHttpDoor(deps: HttpDoorDeps): HttpDoor {
  const { calls } = deps
  const cors = createCors(deps.origins)
  const oip = createOipRest(oipDeps(deps))
  const json = createJsonDoor({ broker: deps.broker, payloadBytesMax: calls.payloadBytesMax })

  /** Paths of the served version: its rpcs, and what their annotations name. */
  const serveVersion = (call: HttpCall, path: string, query: string) => {
    const { method } = call.headers
    const version = deps.current()
    if (version === null) return call.refuse(deps.withoutVersion())
    const document = documentOf(version, path)
    if (document !== null) return serveDocument(call, path, document)
    if (version.methods.has(path)) {
      if (method === 'POST') json.callMethod(call, path, version)
      else refuseMethod(call, path, ['POST'])
      return
    }
    const match = findRoute(typesOf(version).routes, method, path)
    if (match === null) call.refuse(unknownPath(version, typesOf(version), method, path))
    else if ('route' in match) json.callRoute(call, match, query, version)
    else refuseMethod(call, path, match.allowed)
  }

  const documentOf = (version: ServedVersion, path: string): Document | null => {
    if (path === '/openapi.json')
      return { type: JSON_TYPE, bytes: Buffer.from(JSON.stringify(openApi(version))) }
    const isProto = path === '/proto' && deps.hasReflection
    return isProto ? { type: DESCRIPTORS_TYPE, bytes: version.descriptorSet } : null
  }

  return (exchange) => {
    const { headers } = exchange.request
    const { path, query } = splitTarget(headers.path)
    const isWeb = isGrpcWeb(headers)
    const serveOip = isWeb ? null : oip(path)
    const render = renderOf(path, isWeb ? headers : null)
    const call = new HttpCall(exchange, calls, render, cors.fields(headers))
    const preflight = cors.preflight(headers)
    if (preflight !== null) return call.reply(204, preflight, EMPTY)
    if (isWeb) return serveWeb(call, calls.payloadBytesMax, () => deps.findUnary(path))
    if (serveOip !== null) return serveOip(call)
    try {
      serveVersion(call, path, query)
    } catch (error) {
      call.refuse(unservable(error))
    }
  }
}

function oipDeps(deps: HttpDoorDeps): OipDeps {
  return {
    ...deps,
    payloadBytesMax: deps.calls.payloadBytesMax,
    onRefused: deps.calls.onRefused,
  }
}

/** @param web headers of a gRPC-Web request; null = it is none. */
function renderOf(path: string, web: RequestHeaders | null): RenderFailure {
  if (web !== null) return renderWebFailure(web)
  return /^\/v2(\/|$)/.test(path) ? renderOipFailure : renderStatus
}

function serveDocument(call: HttpCall, path: string, { type, bytes }: Document): void {
  const { method } = call.headers
  if (method !== 'GET' && method !== 'HEAD') refuseMethod(call, path, ['GET'])
  else call.receive(0, () => call.reply(200, [['content-type', type]], bytes))
}

function splitTarget(target: string): { path: string; query: string } {
  const at = target.indexOf('?')
  return at < 0
    ? { path: target, query: '' }
    : { path: target.slice(0, at), query: target.slice(at + 1) }
}

function refuseMethod(call: HttpCall, path: string, allowed: readonly string[]): void {
  const methods = [...new Set(allowed)].join(', ')
  const { method } = call.headers
  const text = `${method} is not served on "${path}": use ${methods}`
  call.refuse(createFailure('unimplemented', 'METHOD_NOT_ALLOWED', text), [['allow', methods]])
}

function unknownPath(
  version: ServedVersion,
  types: VersionTypes,
  method: string,
  path: string,
): Failure {
  const paths = [
    ...[...version.methods.keys()].map((each) => `POST ${each}`),
    ...types.routes.map((route) => `${route.httpMethod} ${route.path}`),
  ]
  return createFailure(
    'not-found',
    'UNKNOWN_PATH',
    `${method} "${path}" is not served: version "${version.ref.version}" of runtime "${version.ref.runtimeId}" has ${paths.join(', ')}; see /openapi.json`,
  )
}

/** A path that can't be decoded is the caller's fault; descriptors that can't be read are not. */
function unservable(error: unknown): Failure {
  return error instanceof URIError
    ? createFailure('invalid-argument', 'BAD_PATH', 'the path has a "%" that escapes nothing')
    : createFailure('internal', 'NO_DESCRIPTORS', toKreError(error).message)
}
