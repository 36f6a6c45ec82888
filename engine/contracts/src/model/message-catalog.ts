/**
 * The message types of a bundle, as far as model nodes need them: names, numbers and kinds of fields.
 * Read from the compiled descriptors without a protobuf library, which would be half of a small node's memory.
 */
import { ProtoReader } from '../envelope/protobuf.ts'

/** Kinds by their number in `FieldDescriptorProto.Type`; groups have no name here and are never mapped. */
const KINDS = [
  null,
  'double',
  'float',
  'int64',
  'uint64',
  'int32',
  'fixed64',
  'fixed32',
  'bool',
  'string',
  null,
  'message',
  'bytes',
  'uint32',
  'enum',
  'sfixed32',
  'sfixed64',
  'sint32',
  'sint64',
] as const
export type FieldKind = NonNullable<(typeof KINDS)[number]>

export type MessageField = {
  readonly name: string
  readonly number: number
  /** Null = a group. */
  readonly kind: FieldKind | null
  readonly isRepeated: boolean
  /** Full name of the message or enum; empty for others. */
  readonly typeName: string
}

export type MessageType = { readonly name: string; readonly fields: readonly MessageField[] }

/** By full name, without a leading dot. */
export type MessageCatalog = ReadonlyMap<string, MessageType>

const LABEL_REPEATED = 3

/**
 * @param descriptorSet a serialized google.protobuf.FileDescriptorSet.
 * @throws KreError `invalid-argument` when it is none.
 */
export function readMessageCatalog(descriptorSet: Uint8Array): MessageCatalog {
  const catalog = new Map<string, MessageType>()
  const set = new ProtoReader(descriptorSet)
  while (set.next()) {
    if (set.field === 1) readFile(set.bytes(), catalog)
    else set.skip()
  }
  return catalog
}

/** The name of the package may come after the messages, so they are kept until it is known. */
function readFile(bytes: Uint8Array, into: Map<string, MessageType>): void {
  let scope = ''
  const messages: Uint8Array[] = []
  const file = new ProtoReader(bytes)
  while (file.next()) {
    if (file.field === 2) scope = file.string()
    else if (file.field === 4) messages.push(file.bytes())
    else file.skip()
  }
  for (const message of messages) readMessage(message, scope, into)
}

function readMessage(bytes: Uint8Array, scope: string, into: Map<string, MessageType>): void {
  let ownName = ''
  const fields: MessageField[] = []
  const nested: Uint8Array[] = []
  const message = new ProtoReader(bytes)
  while (message.next()) {
    if (message.field === 1) ownName = message.string()
    else if (message.field === 2) fields.push(readField(message.message()))
    else if (message.field === 3) nested.push(message.bytes())
    else message.skip()
  }
  const name = scope === '' ? ownName : `${scope}.${ownName}`
  into.set(name, { name, fields })
  for (const inner of nested) readMessage(inner, name, into)
}

function readField(r: ProtoReader): MessageField {
  let name = ''
  let number = 0
  let kind: FieldKind | null = null
  let isRepeated = false
  let typeName = ''
  while (r.next()) {
    if (r.field === 1) name = r.string()
    else if (r.field === 3) number = r.uint()
    else if (r.field === 4) isRepeated = r.uint() === LABEL_REPEATED
    else if (r.field === 5) kind = KINDS[r.uint()] ?? null
    else if (r.field === 6) typeName = r.string().replace(/^\./, '')
    else r.skip()
  }
  return { name, number, kind, isRepeated, typeName }
}
