import {
  createFileRegistry,
  type DescMessage,
  fromBinary,
  type JsonValue,
  type Message,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { describe, expect, test } from '@jest/globals'
import { KreError } from '@kre/contracts'
import fc from 'fast-check'
import { DOORS_DESCRIPTORS } from '../testing/doors-descriptors.ts'
import { decodeJson } from './decode-json.ts'
import { parseJson } from './parse-json.ts'

const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, Buffer.from(DOORS_DESCRIPTORS, 'base64')),
)
const all = registry.getMessage('doors.All') as DescMessage

/** JSON beside the type: its names, with values that fit now and then. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<JsonValue>(
    '1',
    1,
    1.5,
    'NaN',
    'GREEN',
    '2026-01-01T00:00:00Z',
    '1.5s',
    true,
    null,
    {},
    [],
  ),
  fc.bigInt().map(String),
)
const names = [...all.fields.map(({ jsonName }) => jsonName), ...all.fields.map(({ name }) => name)]
const object = fc.dictionary(fc.constantFrom(...names, 'nobody', '__proto__', '@type'), value, {
  maxKeys: 4,
})
const nested = fc.oneof(
  object,
  fc
    .tuple(fc.constantFrom('one', 'many', 'parts', 'right'), object)
    .map(([name, inner]) =>
      name === 'many'
        ? { many: [inner] }
        : name === 'parts'
          ? { parts: { '1': inner } }
          : { [name]: inner },
    ),
)

describe('decodeJson', () => {
  test('takes any JSON or refuses it, naming a field that is there', () => {
    fc.assert(
      fc.property(nested, (json) => {
        try {
          const message = decodeJson(all, json as JsonValue, registry)
          // What was taken has a wire form and a JSON form, which are the same message again.
          const bytes = toBinary(all, message)
          const again = decodeJson(all, toJson(all, fromBinary(all, bytes), { registry }), registry)
          expect(Buffer.from(toBinary(all, again))).toEqual(Buffer.from(bytes))
        } catch (error) {
          if (!(error instanceof KreError)) throw error
          expect(error.code).toBe('invalid-argument')
          const { field } = error.details
          if (typeof field === 'string')
            expect(Object.keys(json)).toContain(/^[^.[]+/.exec(field)?.[0])
        }
      }),
      { numRuns: 400 },
    )
  })

  test('gives back every message that was written as JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        let message: Message
        try {
          message = fromBinary(all, bytes, { readUnknownFields: false })
        } catch {
          return // no message: nothing to give back
        }
        let json: JsonValue
        try {
          json = toJson(all, message, { registry, alwaysEmitImplicit: true })
        } catch {
          return // a date or a duration that JSON has no form for
        }
        const read = decodeJson(
          all,
          parseJson(Buffer.from(JSON.stringify(json))) as JsonValue,
          registry,
        )
        expect(toJson(all, read, { registry, alwaysEmitImplicit: true })).toEqual(json)
      }),
      { numRuns: 2_000 },
    )
  })
})
