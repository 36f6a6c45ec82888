/** One unary call with JSON in and out, for methods known by descriptors alone. */
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
import { Code, ConnectError, createContextValues, type Interceptor } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { ERROR_CODES, KreError, type ErrorCode } from '@kre/contracts'
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

export async function callRpc(call: RpcCall): Promise<RpcAnswer> {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, call.descriptorSet))
  const method = findMethod(registry, call.method)
  const request = parseRequest(registry, method, call.json)
  const transport = createGrpcTransport({
    baseUrl: `http://${call.address}`,
    interceptors: [] satisfies Interceptor[],
  })
  try {
    const response = await transport.unary(
      method as DescMethod & { methodKind: 'unary' },
      call.signal,
      call.timeoutMs,
      call.metadata,
      request,
      createContextValues(),
    )
    return {
      json: toJson(method.output, response.message, { registry, alwaysEmitImplicit: true }),
      headers: Object.fromEntries(response.header),
      trailers: Object.fromEntries(response.trailer),
    }
  } catch (error) {
    throw toKreError(ConnectError.from(error), call.address)
  }
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

/** gRPC statuses in KRE's words: both lists follow grpc/doc/statuscodes.md. */
function toKreError(error: ConnectError, address: string): KreError {
  const code = Code[error.code].replace(
    /[A-Z]/g,
    (letter, at: number) => `${at === 0 ? '' : '-'}${letter.toLowerCase()}`,
  )
  const known = (ERROR_CODES as readonly string[]).find(
    (candidate) => candidate === code || (candidate === 'cancelled' && code === 'canceled'),
  )
  const requestId = error.metadata.get('request-id')
  const details = { grpcStatus: Code[error.code], ...(requestId === null ? {} : { requestId }) }
  const suffix = requestId === null ? '' : ` (request ${requestId})`
  return new KreError(
    (known as ErrorCode | undefined) ?? 'internal',
    `${Code[error.code]} from ${address}: ${error.rawMessage}${suffix}`,
    details,
    { cause: error },
  )
}
