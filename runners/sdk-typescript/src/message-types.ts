/**
 * The bundle's message types. The protobuf library takes as much memory as the rest of a small node, so it is loaded
 * with the first message that is decoded or made: a node that passes payloads on never needs it.
 */
import { createRequire } from 'node:module'
import type { DescMessage, Message as ProtobufMessage } from '@bufbuild/protobuf'
import type { createMessageCodec } from './message-codec.ts'
import type { Payload } from './payload-message.ts'

export const TYPE_URL_PREFIX = 'type.googleapis.com/'

export type MessageTypes = {
  /**
   * @param type schema or full name to insist on; without it, the type that the payload names.
   * @throws PayloadError
   */
  decode(payload: Payload, type?: DescMessage | string): ProtobufMessage & Record<string, unknown>
  toObject(payload: Payload): Record<string, unknown>
  /**
   * @param message an Any, a protobuf message, or a plain object with the fields of `plainType`.
   * @throws TerminalError that says what is wrong with the message.
   */
  encode(message: unknown, plainType: string): Payload
  /** A message of the bundle from the values of its fields. */
  create(
    typeName: string,
    fields?: Record<string, unknown>,
  ): ProtobufMessage & Record<string, unknown>
}

/** @param readDescriptorSet gives the serialized FileDescriptorSet of the bundle; called when a type is first needed. */
export function openMessageTypes(readDescriptorSet: () => Uint8Array): MessageTypes {
  let opened: MessageTypes | undefined
  const codec = () => (opened ??= loadCodec().createMessageCodec(readDescriptorSet))
  return {
    decode: (payload, type) => codec().decode(payload, type),
    toObject: (payload) => codec().toObject(payload),
    encode: (message, plainType) =>
      isPayload(message) ? message : codec().encode(message, plainType),
    create: (typeName, fields) => codec().create(typeName, fields),
  }
}

export function isPayload(message: unknown): message is Payload {
  if (typeof message !== 'object' || message === null) return false
  const { typeUrl, value, $typeName } = message as Partial<Payload> & { $typeName?: string }
  return (
    typeof typeUrl === 'string' &&
    value instanceof Uint8Array &&
    ($typeName === undefined || $typeName === 'google.protobuf.Any')
  )
}

/** At once, because handlers decode without waiting. The library is the one that the bundle imports, if it does. */
function loadCodec(): { createMessageCodec: typeof createMessageCodec } {
  return createRequire(import.meta.url)('./message-codec.ts') as ReturnType<typeof loadCodec>
}
