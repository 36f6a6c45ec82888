/** The messages of gRPC's standard services and error details, for clients without generated code. */
import { fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { SERVING_STATUSES, type Outcome } from './interop-client.ts'

export const HEALTH = '/grpc.health.v1.Health'

/** ServerReflectionRequest: 4 = file_containing_symbol, 7 = list_services. */
export const listRequest = () => message(7, '')
export const symbolRequest = (symbol: string) => message(4, symbol)
/** HealthCheckRequest. */
export const healthRequest = (service: string) => message(1, service)

/** HealthCheckResponse. */
export function readStatus(response: Uint8Array): string {
  const reader = new BinaryReader(response)
  let status = 0
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === 1) status = reader.int32()
    else reader.skip(wireType, field)
  }
  return SERVING_STATUSES[status] ?? String(status)
}

/** ServerReflectionResponse with a ListServiceResponse (6). */
export function readServices(response: Uint8Array): string[] {
  return fieldsOf(response, 6)
    .flatMap((list) => fieldsOf(list, 1))
    .flatMap((service) => fieldsOf(service, 1))
    .map(String)
    .toSorted()
}

/** ServerReflectionResponse with a FileDescriptorResponse (4). */
export function readMethods(response: Uint8Array, service: string): string[] {
  return fieldsOf(response, 4)
    .flatMap((files) => fieldsOf(files, 1))
    .map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes))
    .flatMap((file) => file.service.filter(({ name }) => `${file.package}.${name}` === service))
    .flatMap(({ method }) => method)
    .map(({ name, inputType, outputType }) => `${name}: ${inputType} -> ${outputType}`)
}

/** google.rpc.Status with a google.rpc.ErrorInfo. */
export function readErrorInfo(details: Uint8Array): Outcome['errorInfo'] {
  for (const any of fieldsOf(details, 3)) {
    if (String(fieldsOf(any, 1)[0]) !== 'type.googleapis.com/google.rpc.ErrorInfo') continue
    const info = fieldsOf(any, 2)[0] ?? Buffer.alloc(0)
    const text = (from: Uint8Array, field: number) => String(fieldsOf(from, field)[0] ?? '')
    const metadata = fieldsOf(info, 3).map((entry) => [text(entry, 1), text(entry, 2)])
    return { reason: text(info, 1), domain: text(info, 2), metadata: Object.fromEntries(metadata) }
  }
  return null
}

function message(field: number, text: string): Buffer {
  return Buffer.from(new BinaryWriter().tag(field, WireType.LengthDelimited).string(text).finish())
}

function fieldsOf(bytes: Uint8Array, wanted: number): Buffer[] {
  const reader = new BinaryReader(bytes)
  const found: Buffer[] = []
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag()
    if (field === wanted) found.push(Buffer.from(reader.bytes()))
    else reader.skip(wireType, field)
  }
  return found
}
