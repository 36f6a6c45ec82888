/** The `google.api.http` annotations of a method (google/api/http.proto), read from its options. */
import type { DescMethod } from '@bufbuild/protobuf'
import { ProtoReader } from '@kre/contracts/runtime'

export type HttpRule = {
  /** Upper case; `*` = any (a custom rule). */
  readonly method: string
  readonly template: string
  /** Field that the body is; `*` = the whole message, empty = no body. */
  readonly body: string
  /** Field of the answer that is sent; empty = the whole message. */
  readonly responseBody: string
}

/** Field number of the extension `google.api.http` of google.protobuf.MethodOptions. */
const HTTP_OPTION = 72_295_728
const METHODS: ReadonlyMap<number, string> = new Map([
  [2, 'GET'],
  [3, 'PUT'],
  [4, 'POST'],
  [5, 'DELETE'],
  [6, 'PATCH'],
])
const FIELD = { body: 7, custom: 8, additionalBindings: 11, responseBody: 12 } as const
/** Bindings of bindings are against the specification; more of them than this are somebody's joke. */
const BINDINGS_MAX = 64

/** @returns the rule and its additional bindings; empty = the method has no annotation. */
export function httpRulesOf(method: DescMethod): HttpRule[] {
  const rules: HttpRule[] = []
  for (const { no, data } of method.proto.options?.$unknown ?? []) {
    if (no !== HTTP_OPTION) continue
    // An unknown field keeps its length in front.
    const framed = new ProtoReader(Buffer.concat([Buffer.of(0x0a), data]))
    if (framed.next()) readRule(framed.message(), rules)
  }
  return rules
}

function readRule(reader: ProtoReader, rules: HttpRule[]): void {
  const rule = { method: '', template: '', body: '', responseBody: '' }
  const own = rules.length
  while (reader.next()) {
    const method = METHODS.get(reader.field)
    if (method !== undefined) {
      rule.method = method
      rule.template = reader.string()
    } else if (reader.field === FIELD.body) rule.body = reader.string()
    else if (reader.field === FIELD.responseBody) rule.responseBody = reader.string()
    else if (reader.field === FIELD.custom) readCustom(reader.message(), rule)
    else if (reader.field === FIELD.additionalBindings && rules.length < BINDINGS_MAX)
      readRule(reader.message(), rules)
    else reader.skip()
  }
  if (rule.method !== '') rules.splice(own, 0, rule)
}

function readCustom(reader: ProtoReader, rule: { method: string; template: string }): void {
  while (reader.next()) {
    if (reader.field === 1) rule.method = reader.string().toUpperCase()
    else if (reader.field === 2) rule.template = reader.string()
    else reader.skip()
  }
}
