/** Protos that are nearly right: words of good ones and of bad ones, in every order. */
import { fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { expect, test } from '@jest/globals'
import { ISSUE_CODES } from '@kre/contracts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { fuzz, mutate, pick } from '../testing/fuzz.ts'
import { RICH_PROTOS } from '../testing/rich-protos.ts'
import { SAMPLE_PROTO } from '../testing/sample-bundle.ts'
import { compileClosure } from './compile-closure.ts'

const ENTRY = 'public_input.proto'
const WORDS = [
  ...'{ } [ ] ( ) < > ; = , . " \' / // /* */ - + : \\ \0 \n \t'.split(' '),
  ...'message enum service rpc returns stream oneof map group extend extensions reserved'.split(
    ' ',
  ),
  ...'option import public weak package syntax edition optional required repeated to max'.split(
    ' ',
  ),
  ...'__proto__ constructor prototype toString hasOwnProperty nested fields Entrypoint'.split(' '),
  ...'0 -1 1 18999 19000 536870911 536870912 4294967296 1e999 nan inf 0x 08 9999999999999999999'.split(
    ' ',
  ),
  ...'"proto3" "proto2" "google/protobuf/any.proto" "../x" "" "\\xff" "\\u" (a).b.c .a.b é \ufeff \u202e'.split(
    ' ',
  ),
  'message A { message B { } }',
  'map<string, A> m = 1;',
  'option (google.api.http) = { get: "/{x=**}" additional_bindings { post: "/" } };',
  'int32 f = 1 [default = 1, (x).y = { a: [1, 2] }];',
]
const SEEDS = [SAMPLE_PROTO, ...Object.values(RICH_PROTOS)].map((text) => text.split(/(\W)/))

test('the proto reader answers whatever it is given, and what it accepts can be read back', async () => {
  const rounds = await fuzz(async (random) => {
    const seed = pick(random, SEEDS)
    const start = random(4) === 0 ? random(seed.length) : 0
    const text = mutate(seed.slice(start, start + 50 + random(700)), random, WORDS).join('')
    const files = new Map(Object.entries({ ...RICH_PROTOS, [ENTRY]: text }))
    const result = await compileClosure(
      ENTRY,
      {
        has: (path) => files.has(path),
        sizeOf: (path) => Buffer.byteLength(files.get(path) ?? ''),
        read: async (path) => Buffer.from(files.get(path) ?? ''),
      },
      DEFAULT_LIMITS,
    )
    if (result.ok) {
      const { file } = fromBinary(FileDescriptorSetSchema, result.descriptorSet)
      expect(file.at(-1)?.name).toBe(ENTRY)
      return
    }
    expect(result.issues.length).toBeGreaterThan(0)
    for (const { code, file, line, message } of result.issues) {
      expect(ISSUE_CODES).toHaveProperty(code)
      expect(files.has(file)).toBe(true)
      expect(Number.isInteger(line)).toBe(true)
      expect(message).not.toMatch(/Cannot read|is not a function|is not iterable|undefined/)
    }
  })
  expect(rounds).toBeGreaterThan(0)
  expect(Object.keys(Object.prototype)).toEqual([])
}, 3_600_000)
