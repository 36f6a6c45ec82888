/** What a handler gets: a `google.protobuf.Any` that knows the bundle's types. */
import type { DescMessage, Message as ProtobufMessage, MessageShape } from '@bufbuild/protobuf'
import type { MessageTypes } from './message-types.ts'
import { typeNameOf, type Payload } from './payload.ts'

export class Message implements Payload {
  readonly $typeName = 'google.protobuf.Any'
  /** `type.googleapis.com/<full name>`; empty on a message without a payload. */
  readonly typeUrl: string
  /** The message's bytes, valid for as long as the handler likes. */
  readonly value: Uint8Array
  readonly #types: MessageTypes

  constructor(typeUrl: string, value: Uint8Array, types: MessageTypes) {
    this.typeUrl = typeUrl
    this.value = value
    this.#types = types
  }

  /** Full name of the type, for example `digits.Image`. */
  get typeName(): string {
    return typeNameOf(this.typeUrl)
  }

  /** @throws PayloadError when the payload is of another type or its bytes are malformed. */
  unpack<Desc extends DescMessage>(schema: Desc): MessageShape<Desc>
  unpack(typeName?: string): ProtobufMessage & Record<string, unknown>
  unpack(type?: DescMessage | string): ProtobufMessage {
    return this.#types.decode(this, type)
  }

  /** The message as plain JSON (protobuf's mapping with the field names of the .proto). */
  toObject(): Record<string, unknown> {
    return this.#types.toObject(this)
  }
}
