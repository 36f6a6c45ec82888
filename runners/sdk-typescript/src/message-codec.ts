/** Bytes to messages of the bundle's types and back. Loads the protobuf library: see `open-message-types.ts`. */
import {
  create,
  createFileRegistry,
  createRegistry,
  fromBinary,
  isMessage,
  toBinary,
  toJson,
  type DescMessage,
  type JsonObject,
  type Message as ProtobufMessage,
  type MessageInitShape,
  type Registry,
} from '@bufbuild/protobuf'
import {
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  StructSchema,
} from '@bufbuild/protobuf/wkt'
import { PayloadError, TerminalError } from './handler-errors.ts'
import { toMessageInit } from './message-init.ts'
import type { MessageTypes } from './message-types.ts'
import { isPayload, TYPE_URL_PREFIX, typeNameOf } from './payload.ts'

/** @param readDescriptorSet gives the serialized FileDescriptorSet of the bundle; called when a type is first needed. */
export function createMessageCodec(readDescriptorSet: () => Uint8Array): MessageTypes {
  let known: Registry | undefined
  const registry = () => (known ??= bundleRegistry(readDescriptorSet()))
  const schemaOf = (typeName: string): DescMessage => {
    const schema = registry().getMessage(typeName)
    if (schema !== undefined) return schema
    throw new TerminalError(
      `message type "${typeName}" is not in the bundle's protos: use a type of the .proto files, or add it to them`,
    )
  }
  const makeMessage = (typeName: string, fields: Record<string, unknown>) => {
    const schema = schemaOf(typeName)
    return create(
      schema,
      toMessageInit(schema, fields) as MessageInitShape<DescMessage>,
    ) as ProtobufMessage & Record<string, unknown>
  }

  const decode: MessageTypes['decode'] = (payload, type) => {
    const actual = typeNameOf(payload.typeUrl)
    const wanted =
      type === undefined ? actual : typeof type === 'string' ? typeNameOf(type) : type.typeName
    if (actual === '')
      throw new PayloadError(`the message has no payload${expected(wanted)}`, false)
    if (wanted !== actual) {
      throw new PayloadError(`the payload is a "${actual}", not a "${wanted}"`, false)
    }
    const schema = typeof type === 'object' ? type : schemaOf(actual)
    try {
      return fromBinary(schema, payload.value) as ProtobufMessage & Record<string, unknown>
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new PayloadError(`the payload's bytes are not a "${actual}": ${why}`, true, {
        cause: error,
      })
    }
  }

  return {
    decode,
    toObject(payload) {
      const message = decode(payload)
      const json = toJson(schemaOf(message.$typeName), message, {
        registry: registry(),
        useProtoFieldName: true,
        alwaysEmitImplicit: true,
      })
      return json as JsonObject
    },
    encode(message, plainType) {
      if (isPayload(message)) return message
      if (typeof message !== 'object' || message === null || Array.isArray(message)) {
        throw new TerminalError(
          `an output is a protobuf message, an Any or a plain object; this is ${describe(message)}`,
        )
      }
      const { $typeName, ...fields } = message as { $typeName?: unknown } & Record<string, unknown>
      const typeName = typeof $typeName === 'string' ? $typeName : plainType
      const schema = typeName === StructSchema.typeName ? StructSchema : schemaOf(typeName)
      const complete = isMessage(message) && isComplete(schema, message)
      try {
        const value = complete
          ? toBinary(schema, message)
          : toBinary(
              schema,
              create(schema, toMessageInit(schema, fields) as MessageInitShape<DescMessage>),
            )
        return { typeUrl: TYPE_URL_PREFIX + typeName, value }
      } catch (error) {
        if (error instanceof TerminalError) throw error
        const why = error instanceof Error ? error.message : String(error)
        throw new TerminalError(`the output is not a valid "${typeName}": ${why}`, { cause: error })
      }
    },
    create: (typeName, fields = {}) => makeMessage(typeNameOf(typeName), fields),
  }
}

/** The bundle's types, and the well-known ones that it did not import. */
function bundleRegistry(descriptorSet: Uint8Array): Registry {
  const files = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet))
  return createRegistry(
    file_google_protobuf_any,
    file_google_protobuf_duration,
    file_google_protobuf_empty,
    file_google_protobuf_struct,
    file_google_protobuf_timestamp,
    file_google_protobuf_wrappers,
    ...files,
  )
}

/** Whether it was made by `create` and not written by hand as `{$typeName, …}`. */
function isComplete(schema: DescMessage, message: ProtobufMessage): boolean {
  return schema.fields.every(
    (field) =>
      field.oneof !== undefined ||
      (field.fieldKind !== 'list' && field.fieldKind !== 'map') ||
      field.localName in message,
  )
}

function expected(typeName: string): string {
  return typeName === '' ? '' : `, a "${typeName}" was expected`
}
function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
