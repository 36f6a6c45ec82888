/** The bundle's message types, as handlers use them. */
import type { DescMessage, Message as ProtobufMessage } from '@bufbuild/protobuf'
import type { Payload } from './payload.ts'

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
