/** The `google.api.http` annotation of an rpc: the one foreign option that KRE serves, so it is kept. */
import type { UnknownField } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** Field number of the extension in google.protobuf.MethodOptions (google/api/annotations.proto). */
const HTTP_OPTION = 72_295_728

type Fields = Readonly<Record<string, number | readonly [number: number, message: Fields]>>

const CUSTOM: Fields = { kind: 1, path: 2 }
const BINDING: Fields = {
  selector: 1,
  get: 2,
  put: 3,
  post: 4,
  delete: 5,
  patch: 6,
  body: 7,
  custom: [8, CUSTOM],
  response_body: 12,
}
/** Bindings of bindings are against the specification, and left out. */
const RULE: Fields = { ...BINDING, additional_bindings: [11, BINDING] }

/**
 * @param parsed the rpc's options as the parser nests them.
 * @returns null when the rpc has no annotation.
 */
export function httpOption(
  parsed: readonly Readonly<Record<string, unknown>>[] | null | undefined,
): UnknownField | null {
  for (const option of parsed ?? []) {
    const rule = option['(google.api.http)'] ?? option['(.google.api.http)']
    if (typeof rule !== 'object' || rule === null) continue
    const data = new BinaryWriter().bytes(encode(rule, RULE)).finish()
    return { no: HTTP_OPTION, wireType: WireType.LengthDelimited, data }
  }
  return null
}

function encode(message: object, fields: Fields): Uint8Array {
  const writer = new BinaryWriter()
  for (const [name, value] of Object.entries(message)) {
    const field = fields[name]
    if (field === undefined) continue
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof field === 'number' && typeof each === 'string')
        writer.tag(field, WireType.LengthDelimited).string(each)
      else if (typeof field === 'object' && typeof each === 'object' && each !== null)
        writer.tag(field[0], WireType.LengthDelimited).bytes(encode(each, field[1]))
    }
  }
  return writer.finish()
}
