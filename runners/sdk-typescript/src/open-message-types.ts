/**
 * The bundle's message types. The protobuf library takes as much memory as the rest of a small node, so it is loaded
 * with the first message that is decoded or made: a node that passes payloads on never needs it.
 */
import { createRequire } from 'node:module'
import type { createMessageCodec } from './message-codec.ts'
import type { MessageTypes } from './message-types.ts'
import { isPayload } from './payload.ts'

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

/** At once, because handlers decode without waiting. The library is the one that the bundle imports, if it does. */
function loadCodec(): { createMessageCodec: typeof createMessageCodec } {
  return createRequire(import.meta.url)('./message-codec.ts') as ReturnType<typeof loadCodec>
}
