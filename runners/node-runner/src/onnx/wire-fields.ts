/** Where the values of chosen fields lie in a protobuf message: found in one pass, nothing else is decoded. */
import { KreError } from '@kre/contracts/runtime'
import type { FieldRef, FieldKind } from '@kre/contracts/model'

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const
type WireType = (typeof WIRE)[keyof typeof WIRE]

/** Encoded values in the order of the message: pairs of start and end. */
export type Spans = number[]

/** What is looked for in one message: its own fields by number, and messages that are looked into. */
export type WireQuery = {
  leaves: Map<
    number,
    { readonly kind: FieldKind; readonly isRepeated: boolean; readonly at: number[] }
  >
  messages: Map<number, WireQuery>
}

export type WireMatch = {
  /** By index of the field in the query. */
  readonly spans: readonly Spans[]
  /** By index of the carried field: with their wire type, without their key. */
  readonly carried: readonly { readonly wireType: number; readonly spans: Spans }[]
}

export type CompiledQuery = {
  readonly root: WireQuery
  readonly fields: readonly FieldRef[]
  /** Index by number of the root's fields. */
  readonly carried: ReadonlyMap<number, number>
}

const WIRE_TYPES: Readonly<Record<FieldKind, WireType>> = {
  double: WIRE.fixed64,
  fixed64: WIRE.fixed64,
  sfixed64: WIRE.fixed64,
  float: WIRE.fixed32,
  fixed32: WIRE.fixed32,
  sfixed32: WIRE.fixed32,
  string: WIRE.bytes,
  bytes: WIRE.bytes,
  message: WIRE.bytes,
  int32: WIRE.varint,
  int64: WIRE.varint,
  uint32: WIRE.varint,
  uint64: WIRE.varint,
  sint32: WIRE.varint,
  sint64: WIRE.varint,
  bool: WIRE.varint,
  enum: WIRE.varint,
}

export function wireTypeOf(kind: FieldKind): WireType {
  return WIRE_TYPES[kind]
}

export function compileQuery(
  fields: readonly FieldRef[],
  carriedNumbers: readonly number[],
): CompiledQuery {
  const root: WireQuery = { leaves: new Map(), messages: new Map() }
  for (const [index, { numbers, kind, isRepeated }] of fields.entries()) {
    let query = root
    for (const number of numbers.slice(0, -1)) {
      const inner = query.messages.get(number) ?? { leaves: new Map(), messages: new Map() }
      query.messages.set(number, inner)
      query = inner
    }
    const number = numbers.at(-1) ?? 0
    const leaf = query.leaves.get(number)
    if (leaf === undefined) query.leaves.set(number, { kind, isRepeated, at: [index] })
    else leaf.at.push(index)
  }
  return { root, fields, carried: new Map(carriedNumbers.map((number, i) => [number, i])) }
}

/** @throws KreError `invalid-argument` for what is no protobuf message, or has a chosen field with another type. */
export function findFields(message: Uint8Array, query: CompiledQuery): WireMatch {
  const spans = query.fields.map((): Spans => [])
  const carried = Array.from(query.carried, () => ({ wireType: 0, spans: [] as Spans }))
  walk(message, 0, message.length, query.root, spans, (number, wireType, start, end) => {
    const index = query.carried.get(number)
    const entry = index === undefined ? undefined : carried[index]
    if (entry === undefined) return
    entry.wireType = wireType
    entry.spans.push(start, end)
  })
  return { spans, carried }
}

function walk(
  bytes: Uint8Array,
  start: number,
  end: number,
  query: WireQuery,
  into: readonly Spans[],
  onField: ((number: number, wireType: number, start: number, end: number) => void) | null,
): void {
  let at = start
  const varint = (): number => {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      if (at >= end) throw malformed('it ends early')
      const byte = bytes[at++] as number
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    throw malformed('it has an integer of more than 10 bytes')
  }
  while (at < end) {
    const key = varint()
    const number = Math.floor(key / 8)
    const wireType = key % 8
    if (number === 0) throw malformed('it has a field with the number 0')
    const valueAt = at
    let contentAt = at
    if (wireType === WIRE.varint) varint()
    else if (wireType === WIRE.fixed64) at += 8
    else if (wireType === WIRE.fixed32) at += 4
    else if (wireType === WIRE.bytes) {
      const length = varint()
      contentAt = at
      at += length
    } else throw malformed(`field ${number} has wire type ${wireType}`)
    if (at > end) throw malformed('it ends early')
    onField?.(number, wireType, valueAt, at)
    const leaf = query.leaves.get(number)
    if (leaf !== undefined) {
      const isPacked = wireType === WIRE.bytes && leaf.isRepeated && !isText(leaf.kind)
      if (!isPacked && wireType !== wireTypeOf(leaf.kind))
        throw malformed(`field ${number} has wire type ${wireType}`)
      for (const index of leaf.at) {
        const spans = into[index] as Spans
        // Of a field that takes one value, the last one counts.
        if (!leaf.isRepeated) spans.length = 0
        spans.push(contentAt, at)
      }
    }
    const inner = query.messages.get(number)
    if (inner === undefined) continue
    if (wireType !== WIRE.bytes) throw malformed(`field ${number} has wire type ${wireType}`)
    walk(bytes, contentAt, at, inner, into, null)
  }
}

function isText(kind: FieldKind): boolean {
  return kind === 'string' || kind === 'bytes'
}

export function malformed(why: string): KreError {
  return new KreError('invalid-argument', `the message is not well-formed: ${why}`)
}
