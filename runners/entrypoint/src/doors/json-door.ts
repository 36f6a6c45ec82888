/** The JSON twin of each rpc: `POST /<service>/<rpc>`, and what `google.api.http` annotations say. */
import {
  type DescField,
  type DescMessage,
  fromBinary,
  type JsonObject,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
import { toKreError } from '@kre/contracts/runtime'
import { createFailure, type Failure } from '../grpc/failure.ts'
import { tooLarge } from '../grpc/frame-reader.ts'
import { decodeJson } from '../json/decode-json.ts'
import { parseJson } from '../json/parse-json.ts'
import { requestJson } from '../json/request-json.ts'
import type { RouteMatch } from '../json/route.ts'
import { type CallableMethod, isCallable, type TypedMethod } from '../json/typed-method.ts'
import { typesOf, type VersionTypes } from '../json/version-types.ts'
import type { Caller } from '../requests/pending-request.ts'
import type { RequestBroker } from '../requests/request-broker.ts'
import type { ServedVersion } from '../versions/served-version.ts'
import { callerHeaders } from './caller-headers.ts'
import type { HttpCall } from './http-call.ts'
import { requestIdFields } from './http-status.ts'
import { createJsonStream } from './json-stream.ts'
import { type FieldFailure, JSON_TYPE } from './status-json.ts'

/** JSON takes more bytes than the message in it: at most six for a bool, four for three of a blob. */
export const JSON_FACTOR = 6

export type JsonDoor = {
  /** `POST` to an rpc's own path. */
  callMethod(call: HttpCall, path: string, version: ServedVersion): void
  /** A request to the path of an annotation. */
  callRoute(
    call: HttpCall,
    match: Extract<RouteMatch, { route: unknown }>,
    query: string,
    version: ServedVersion,
  ): void
}

export function createJsonDoor(deps: { broker: RequestBroker; payloadBytesMax: number }): JsonDoor {
  const { payloadBytesMax } = deps

  const submit = (
    call: HttpCall,
    types: VersionTypes,
    method: CallableMethod,
    json: JsonValue,
    responseBody: DescField | null,
  ) => {
    let message: Uint8Array
    try {
      message = toBinary(method.input, decodeJson(method.input, json, types.registry))
    } catch (error) {
      return call.refuse(badRequest(error))
    }
    if (message.length > payloadBytesMax)
      return call.refuse(tooLarge(message.length, payloadBytesMax))
    const headers = callerHeaders(call.headers)
    if ('reason' in headers) return call.refuse(headers)
    const caller = createJsonCaller(call, method.output, types, responseBody)
    deps.broker.submit(caller, headers, method.served, message)
  }

  const receive = (
    call: HttpCall,
    isBodyWanted: boolean,
    take: (json: JsonValue | null) => void,
  ) => {
    const refusal = isBodyWanted ? wrongContentType(call) : null
    if (refusal !== null) return call.refuse(refusal)
    call.receive(payloadBytesMax * JSON_FACTOR, (body) => {
      if (body.length === 0) return take(null)
      if (!isBodyWanted) return call.refuse(unwantedBody(call.headers.method))
      const wrong = wrongContentType(call, body.length)
      if (wrong !== null) return call.refuse(wrong)
      let json: JsonValue
      try {
        json = parseJson(body) as JsonValue
      } catch (error) {
        return call.refuse(badRequest(error))
      }
      take(json)
    })
  }

  return {
    callMethod(call, path, version) {
      const types = typesOf(version)
      const method = types.methods.get(path)
      if (method === undefined) return call.refuse(withoutTypes(path))
      if (!isCallable(method)) return call.refuse(withoutWorkflow(method))
      receive(call, true, (json) => submit(call, types, method, json ?? {}, null))
    },
    callRoute(call, { route, values }, query, version) {
      const { method } = route
      if (!isCallable(method)) return call.refuse(withoutWorkflow(method))
      receive(call, route.body !== null, (body) => {
        let json: JsonValue
        try {
          json = requestJson(route, values, query, body)
        } catch (error) {
          return call.refuse(badRequest(error))
        }
        submit(call, typesOf(version), method, json, route.responseBody)
      })
    },
  }
}

function createJsonCaller(
  call: HttpCall,
  output: DescMessage,
  { registry }: VersionTypes,
  responseBody: DescField | null,
): Caller {
  const stream = createJsonStream(call)
  /** Null after the call was failed. */
  const textOf = (value: Uint8Array, requestId: string): string | null => {
    try {
      const message = fromBinary(output, value)
      const json = toJson(output, message, { registry, alwaysEmitImplicit: true })
      return JSON.stringify(pick(json, responseBody))
    } catch (error) {
      // Nobody reads what else may come of a stream.
      const gone = caller.onGone
      caller.fail(unreadableAnswer(output, error), requestId)
      gone?.()
      return null
    }
  }
  const caller: Caller = {
    onGone: null,
    onRoom: null,
    answer(value, requestId) {
      const text = textOf(value, requestId)
      if (text === null) return
      const fields = [['content-type', JSON_TYPE] as const, ...requestIdFields(requestId)]
      call.reply(200, fields, Buffer.from(text))
    },
    write(value, requestId) {
      const text = textOf(value, requestId)
      return text === null || stream.write(text, requestId)
    },
    end: (requestId) => stream.end(requestId),
    fail(failure, requestId) {
      if (stream.isOpen()) stream.fail(failure, requestId)
      else call.fail(failure, requestId)
    },
  }
  call.onGone = () => caller.onGone?.()
  call.onDrain = () => caller.onRoom?.()
  return caller
}

function pick(json: JsonValue, field: DescField | null): JsonValue {
  // A field that is not set has no key, and a body has to be something.
  return field === null ? json : ((json as JsonObject)[field.jsonName] ?? null)
}

/** @param bytes of the body, once it is known: a body that is empty needs no type. */
function wrongContentType({ headers }: HttpCall, bytes = 0): Failure | null {
  const type = headers.get('content-type')
  if (type === undefined && bytes === 0) return null
  if (
    type !== undefined &&
    /^application\/(?:json|[\w.+-]+\+json)\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(type)
  )
    return null
  if (type !== undefined && /^application\/grpc(?!-web)/i.test(type))
    return createFailure(
      'invalid-argument',
      'UNSUPPORTED_MEDIA_TYPE',
      'gRPC is served over HTTP/2 alone: look whether a proxy in between speaks HTTP/1.1 to this port',
    )
  return createFailure(
    'invalid-argument',
    'UNSUPPORTED_MEDIA_TYPE',
    `content-type ${type === undefined ? 'is missing' : `"${type}" is not served here`}: send application/json (UTF-8), application/grpc-web or application/grpc`,
  )
}

function badRequest(error: unknown): FieldFailure {
  const { message, details } = toKreError(error)
  const failure = createFailure('invalid-argument', 'BAD_JSON', message)
  const { field } = details
  return typeof field === 'string' ? { ...failure, fieldPath: field } : failure
}

function unwantedBody(method: string): Failure {
  const text = `the annotation of this path takes no body, and the ${method} request has one`
  return createFailure('invalid-argument', 'BAD_JSON', text)
}

function withoutTypes(path: string): Failure {
  return createFailure(
    'internal',
    'NO_DESCRIPTORS',
    `the messages of "${path}" are not in the version's descriptors, so it can only be called by gRPC`,
  )
}

function withoutWorkflow({ served }: TypedMethod): Failure {
  return createFailure(
    'unimplemented',
    'NO_WORKFLOW',
    `rpc "${served.rpc}" is declared, but no workflow of version "${served.version.ref.version}" uses it`,
  )
}

function unreadableAnswer(output: DescMessage, error: unknown): Failure {
  return createFailure(
    'internal',
    'MALFORMED_ANSWER',
    `the workflow's answer is not a ${output.typeName} that has a JSON form: ${toKreError(error).message}`,
  )
}
