/** One call with JSON in and out, for methods known by descriptors alone. */
import {
  createFileRegistry,
  fromBinary,
  fromJson,
  toJson,
  type DescMethod,
  type FileRegistry,
  type JsonValue,
} from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError, createContextValues } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { ERROR_CODES, GRPC_STATUS, KreError } from '@kre/contracts'
import { UsageError } from '../output/exit-code.ts'

export type RpcCall = {
  /** `host:port` */
  address: string
  /** `Rpc`, `package.Service/Rpc` or `package.Service.Rpc`. */
  method: string
  json: JsonValue
  timeoutMs: number
  metadata: Readonly<Record<string, string>>
  descriptorSet: Uint8Array
  signal: AbortSignal
}

export type RpcAnswer = {
  json: JsonValue
  headers: Record<string, string>
  trailers: Record<string, string>
}

/** Whether the rpc answers with a stream. @throws UsageError when there is no such rpc. */
export function isStreaming(call: Pick<RpcCall, 'descriptorSet' | 'method'>): boolean {
  return findMethod(readRegistry(call.descriptorSet), call.method).methodKind === 'server_streaming'
}

/** Calls a unary rpc. @throws KreError with the status as its code, UsageError for a request of another form. */
export async function callRpc(call: RpcCall): Promise<RpcAnswer> {
  const messages: JsonValue[] = []
  const { headers, trailers } = await callStream(call, (message) => void messages.push(message))
  const [json] = messages
  if (json === undefined || messages.length > 1)
    throw new KreError('internal', `a unary rpc answered with ${messages.length} messages`)
  return { json, headers, trailers }
}

/**
 * Calls an rpc and reports its messages as they come.
 *
 * @throws as `callRpc`.
 */
export async function callStream(
  call: RpcCall,
  onMessage: (json: JsonValue) => void,
): Promise<Omit<RpcAnswer, 'json'>> {
  const registry = readRegistry(call.descriptorSet)
  const method = findMethod(registry, call.method)
  const request = parseRequest(registry, method, call.json)
  const baseUrl = `http://${call.address}`
  const sessionManager = new Http2SessionManager(baseUrl)
  const transport = createGrpcTransport({ baseUrl, sessionManager })
  try {
    const response = await transport.stream(
      method as DescMethod & { methodKind: 'server_streaming' },
      call.signal,
      call.timeoutMs,
      call.metadata,
      once(request),
      createContextValues(),
    )
    for await (const message of response.message)
      onMessage(toJson(method.output, message, { registry, alwaysEmitImplicit: true }))
    return {
      headers: Object.fromEntries(response.header),
      trailers: Object.fromEntries(response.trailer),
    }
  } catch (error) {
    throw toKreError(ConnectError.from(error), call.address)
  } finally {
    sessionManager.abort() // the process would wait for it
  }
}

async function* once<T>(value: T): AsyncIterable<T> {
  yield value
}

function readRegistry(descriptorSet: Uint8Array): FileRegistry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet))
}

function findMethod(registry: FileRegistry, wanted: string): DescMethod {
  const methods = [...registry].flatMap((type) =>
    type.kind === 'service' && type.name === 'Entrypoint' ? type.methods : [],
  )
  const [name, service] = wanted
    .replace(/^\//, '')
    .split(/[/.](?=[^/.]*$)/)
    .toReversed()
  const found = methods.find(
    (method) =>
      method.name === name &&
      (service === undefined ||
        service === method.parent.typeName ||
        service === method.parent.name),
  )
  if (found === undefined)
    throw new UsageError(
      `no method "${wanted}"; there are: ${methods.map((method) => method.name).join(', ')}`,
    )
  return found
}

function parseRequest(registry: FileRegistry, method: DescMethod, json: JsonValue) {
  try {
    return fromJson(method.input, json, { registry })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`the JSON is not a ${method.input.typeName}: ${why}`)
  }
}

/** A gRPC status in KRE's words, with the status as callers know it in front of the message. */
function toKreError(error: ConnectError, address: string): KreError {
  const status = statusName(error.code)
  const code = ERROR_CODES.find((candidate) => GRPC_STATUS[candidate] === Number(error.code))
  const requestId = error.metadata.get('request-id')
  const where = error.code === Code.Unavailable ? ` (${address})` : ''
  const which = requestId === null ? '' : ` (request ${requestId})`
  return new KreError(
    code ?? 'internal',
    `${status}: ${error.rawMessage}${where}${which}`,
    { grpcStatus: status, address, ...(requestId === null ? {} : { requestId }) },
    { cause: error },
  )
}

/** `InvalidArgument` as `INVALID_ARGUMENT` (grpc/doc/statuscodes.md, which spells the first one CANCELLED). */
function statusName(code: Code): string {
  return code === Code.Canceled
    ? 'CANCELLED'
    : Code[code].replace(/(?<=[a-z])[A-Z]/g, '_$&').toUpperCase()
}
