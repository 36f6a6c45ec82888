import { createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { describe, expect, test } from '@jest/globals'
import { type BundleLimits, lowerLimits } from '../limits.ts'
import { RICH_PROTOS } from '../testing/rich-protos.ts'
import { compileClosure, type ProtoClosure } from './compile-closure.ts'

type Files = Readonly<Record<string, string>>

function compile(
  files: Files | string,
  limits: Partial<BundleLimits> = {},
  entry = 'public_input.proto',
): Promise<ProtoClosure> {
  const all: Files = typeof files === 'string' ? { 'public_input.proto': files } : files
  return compileClosure(
    entry,
    {
      has: (path) => Object.hasOwn(all, path),
      sizeOf: (path) => Buffer.byteLength(all[path] ?? ''),
      read: async (path) => Buffer.from(all[path] ?? '', 'latin1'),
    },
    lowerLimits(limits),
  )
}

/** `CODE line:column` of every issue. */
async function issuesOf(...args: Parameters<typeof compile>): Promise<string[]> {
  const closure = await compile(...args)
  return closure.ok
    ? []
    : closure.issues.map(({ code, line, column }) => `${code} ${line}:${column}`)
}

const SERVICE = 'service Entrypoint { rpc A (M) returns (M); }\n'
const HEAD = `syntax = "proto3";\n${SERVICE}`
const WHOLE = `${HEAD}message M { int32 a = 1; }\n`

describe('compileClosure', () => {
  test('describes the service with full type names', async () => {
    const closure = await compile(RICH_PROTOS)
    expect(closure).toMatchObject({
      ok: true,
      service: {
        name: 'kre.rich.v1.Entrypoint',
        methods: [
          {
            rpc: 'MakePrediction',
            requestType: 'kre.rich.v1.Everything',
            responseType: 'kre.rich.v1.Everything.Inner',
            clientStreaming: false,
            serverStreaming: false,
          },
          { rpc: 'Save', responseType: 'common.Size' },
          { rpc: 'Watch', clientStreaming: true, serverStreaming: true },
        ],
      },
    })
  })

  test('gives one descriptor per file, imports first, well-known types included', async () => {
    const closure = await compile(RICH_PROTOS)
    if (!closure.ok) throw new Error(JSON.stringify(closure.issues))
    const set = fromBinary(FileDescriptorSetSchema, closure.descriptorSet)
    const names = set.file.map(({ name }) => name)
    expect(names).toContain('google/protobuf/timestamp.proto')
    expect(names.at(-1)).toBe('public_input.proto')
    for (const file of set.file)
      for (const dependency of file.dependency)
        expect(names.indexOf(dependency)).toBeLessThan(names.indexOf(file.name))
    const registry = createFileRegistry(set)
    const everything = registry.getMessage('kre.rich.v1.Everything')
    expect(everything?.oneofs.map(({ name }) => name)).toEqual(['choice', 'second'])
    expect(everything?.field['fBytes']?.scalar).toBe(12)
  })

  test('finds imports from the root of the bundle, then beside the importing file', async () => {
    const files = {
      'api/entry.proto': `syntax = "proto3"; import "shared.proto"; import "types/m.proto"; ${SERVICE}`,
      'api/types/m.proto': 'syntax = "proto3"; message M { S s = 1; } import "shared.proto";',
      'shared.proto': 'syntax = "proto3"; message S {}',
      'api/shared.proto': 'syntax = "proto3"; message Wrong {}',
    }
    const closure = await compile(files, {}, 'api/entry.proto')
    if (!closure.ok) throw new Error(JSON.stringify(closure.issues))
    const set = fromBinary(FileDescriptorSetSchema, closure.descriptorSet)
    expect(set.file.map(({ name }) => name)).toEqual([
      'shared.proto',
      'api/types/m.proto',
      'api/entry.proto',
    ])
  })

  test('uses its own copy of a well-known file when the bundle brings one', async () => {
    const files = {
      'public_input.proto': `syntax = "proto3"; import "google/protobuf/empty.proto"; service Entrypoint { rpc A (google.protobuf.Empty) returns (google.protobuf.Empty); }`,
      'google/protobuf/empty.proto': 'this is { no proto',
    }
    expect(await issuesOf(files)).toEqual([])
  })

  test('accepts a file without package, and a service without rpcs', async () => {
    expect(await compile('syntax = "proto3"; service Entrypoint {}')).toMatchObject({
      ok: true,
      service: { name: 'Entrypoint', methods: [] },
    })
  })

  test.each([
    [
      'names of the language itself',
      'message M { string constructor = 1; string toString = 2; int32 message = 3; }',
    ],
    [
      'comments with anything in them',
      'message M { /* } service Entrypoint { */ // }\n int32 a = 1; }',
    ],
    ['strings with anything in them', 'message M { option (x) = "} ; {"; int32 a = 1; }'],
    ['a byte order mark', '\u00ef\u00bb\u00bfmessage M {}', ''],
  ])('accepts %s', async (_what, text, head = HEAD) => {
    const order = head === '' ? text.replace('message', `${HEAD} message`) : head + text
    expect(await issuesOf(order)).toEqual([])
  })
})

describe('compileClosure on mistakes', () => {
  test.each([
    ['a missing brace', `${HEAD}message M { int32 a = 1;\n`, 'PROTO_SYNTAX'],
    ['a missing number', `${HEAD}message M { int32 a; }`, 'PROTO_SYNTAX 3:20'],
    ['a number twice', `${HEAD}message M { int32 a = 1;\n  int32 b = 1; }`, 'PROTO_SYNTAX 4'],
    ['a field twice', `${HEAD}message M { int32 a = 1;\n  int32 a = 2; }`, 'PROTO_SYNTAX 4:9'],
    ['number 0', `${HEAD}message M { int32 a = 0; }`, 'PROTO_SYNTAX 3:19'],
    ['number 2^29', `${HEAD}message M { int32 a = 536870912; }`, 'PROTO_SYNTAX 3:19'],
    ['a number of protobuf itself', `${HEAD}message M { int32 a = 19500; }`, 'PROTO_SYNTAX 3:19'],
    ['a reserved number', `${HEAD}message M { reserved 5; int32 a = 5; }`, 'PROTO_SYNTAX'],
    ['required in proto3', `${HEAD}message M { required int32 a = 1; }`, 'PROTO_SYNTAX 3:13'],
    ['a default in proto3', `${HEAD}message M { int32 a = 1 [default = 3]; }`, 'PROTO_SYNTAX 3:19'],
    ['an enum without zero', `${HEAD}message M {} enum E { A = 1; }`, 'PROTO_SYNTAX 3:19'],
    ['an enum without values', `${HEAD}message M {} enum E {}`, 'PROTO_SYNTAX 3:19'],
    [
      'one enum value in two enums',
      `${HEAD}message M {} enum E { A = 0; } enum F { A = 0; }`,
      'PROTO_SYNTAX 3:41',
    ],
    ['a oneof without fields', `${HEAD}message M { oneof o {} }`, 'PROTO_SYNTAX 3:19'],
    ['a message twice', `${HEAD}message M {}\nmessage M {}`, 'PROTO_SYNTAX 4:9'],
    ['an unknown syntax', 'syntax = "proto4";', 'PROTO_SYNTAX 1:1'],
    ['an edition', 'edition = "2023";', 'PROTO_SYNTAX 1:1'],
    [
      'a field that the parser would lose',
      `${HEAD}message M { map<string, string> __proto__ = 1; }`,
      'PROTO_SYNTAX 3:33',
    ],
    ['JSON', '{"nested": {}}', 'PROTO_SYNTAX 1:1'],
    ['a NUL', `${WHOLE}\0`, 'PROTO_SYNTAX 1:1'],
    ['bytes that are not UTF-8', `${WHOLE}// \xff\xfe`, 'PROTO_SYNTAX 1:1'],
    ['an unknown field type', `${HEAD}message M { Foo a = 1; }`, 'PROTO_TYPE 3:17'],
    ['an unknown map type', `${HEAD}message M { map<string, Foo> a = 1; }`, 'PROTO_TYPE'],
    ['an unknown request type', `${HEAD}`, 'PROTO_TYPE 2:26'],
    ['no service', 'syntax = "proto3"; message M {}', 'PROTO_SERVICE 1:1'],
    ['another service', 'syntax = "proto3"; service Entry {}', 'PROTO_SERVICE 1:1'],
    ['two services', `${WHOLE}${SERVICE}`, 'PROTO_SERVICE 4:9'],
  ])('reports %s', async (_what, text, expected) => {
    const issues = await issuesOf(text)
    expect(issues.length).toBeGreaterThan(0)
    expect(issues[0]).toMatch(new RegExp(`^${expected}(?:\\b|$)`))
  })

  test.each([
    '/etc/passwd',
    '../outside.proto',
    './a.proto',
    'a/../../b.proto',
    'a\\\\b.proto',
    'C:/a.proto',
    'file:///etc/passwd',
    'missing.proto',
    '',
    'google/protobuf/unknown.proto',
    '__proto__',
    'constructor',
  ])('does not look outside of the bundle for import %s', async (path) => {
    const read: string[] = []
    const text = `syntax = "proto3";\nimport "${path}";\nmessage M {}\n${SERVICE}`
    const closure = await compileClosure(
      'public_input.proto',
      {
        has: (name) => name === 'public_input.proto',
        sizeOf: () => text.length,
        read: async (name) => {
          read.push(name)
          return Buffer.from(text)
        },
      },
      lowerLimits(),
    )
    expect(closure).toMatchObject({
      ok: false,
      issues: [{ code: 'PROTO_IMPORT', line: 2, column: 8 }],
    })
    expect(read).toEqual(['public_input.proto'])
  })

  test('reports imports in a circle, and one that is there twice', async () => {
    const circle = {
      'public_input.proto': `${WHOLE}import "b.proto";`,
      'b.proto': 'syntax = "proto3"; import "public_input.proto";',
    }
    expect(await issuesOf(circle)).toEqual(['PROTO_IMPORT 1:27'])
    const twice = {
      'public_input.proto': `${WHOLE}import "b.proto";import "b.proto";`,
      'b.proto': 'syntax = "proto3";',
    }
    expect(await issuesOf(twice)).toEqual(['PROTO_IMPORT 4:25'])
  })

  test('tells that a type is in a file that is not imported', async () => {
    const files = {
      'public_input.proto': `${HEAD}import "b.proto"; message M { C c = 1; }`,
      'b.proto': 'syntax = "proto3"; import "c.proto"; message B {}',
      'c.proto': 'syntax = "proto3"; message C {}',
    }
    expect(await compile(files)).toMatchObject({
      issues: [{ code: 'PROTO_TYPE', message: expect.stringContaining('does not import') }],
    })
  })

  test('reports the mistakes of all files together', async () => {
    const files = {
      'public_input.proto': `${HEAD}import "b.proto"; message M { X x = 1; Y y = 2; int32 z = 0; }`,
      'b.proto': 'syntax = "proto3";\nmessage B { Z z = 1; }',
    }
    expect(await issuesOf(files)).toHaveLength(4)
  })
})

describe('compileClosure on limits', () => {
  const fields = (count: number): string =>
    `${HEAD}message M {${Array.from({ length: count }, (_, i) => `int32 a${i} = ${i + 1};`).join('')}}`
  const messages = (count: number): string =>
    `${HEAD}message M {}${Array.from({ length: count - 1 }, (_, i) => `message A${i}{}`).join('')}`
  const padded = (bytes: number): string => `${WHOLE}//${'x'.repeat(bytes - WHOLE.length - 2)}`
  const chain = (count: number): Files =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        i === 0 ? 'public_input.proto' : `p${i}.proto`,
        (i === 0 ? WHOLE : 'syntax = "proto3";') +
          (i + 1 < count ? `import "p${i + 1}.proto";` : ''),
      ]),
    )
  const wide = (count: number, bytes: number): Files => ({
    'public_input.proto':
      WHOLE + Array.from({ length: count }, (_, i) => `import "p${i}.proto";`).join(''),
    ...Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`p${i}.proto`, `//${'x'.repeat(bytes - 2)}`]),
    ),
  })

  test.each([
    ['500 fields', fields(500), fields(501)],
    ['2,000 messages', messages(2_000), messages(2_001)],
    ['128 KiB', padded(131_072), padded(131_073)],
    ['32 files', chain(32), chain(33)],
    ['512 KiB in all', wide(3, 131_072), wide(4, 131_072)],
  ] satisfies [string, string | Files, string | Files][])(
    'allows %s and no more',
    async (_what, inside, outside) => {
      expect(await issuesOf(inside)).toEqual([])
      expect(await issuesOf(outside)).toEqual([expect.stringMatching(/^PROTO_LIMIT/)])
    },
  )

  test.each([
    ['messages in messages', 'message A{'.repeat(12_000)],
    ['comments that never end', '/*'.repeat(60_000)],
    ['slashes', '/'.repeat(120_000)],
    ['a string that never ends', `"${'\\'.repeat(120_000)}`],
    ['strings of quotes', `option a = ${'"\'"'.repeat(40_000)};`],
    ['option values in option values', `option a = ${'{a:'.repeat(40_000)}`],
    ['brackets', `message A { int32 a = 1 ${'['.repeat(120_000)}`],
    ['parentheses', `option ${'('.repeat(120_000)}`],
    ['one long word', 'a'.repeat(120_000)],
    ['doc comments', '///x\n'.repeat(24_000)],
    ['blank lines', ' \n'.repeat(60_000)],
    ['a big enum', `enum A{${Array.from({ length: 9_000 }, (_, i) => `A${i}=${i};`).join('')}}`],
    [
      'reserved ranges',
      `message A{reserved ${Array.from({ length: 12_000 }, (_, i) => i + 1).join(',')};}`,
    ],
    ['dots', `message A { ${'a.'.repeat(50_000)}a b = 1; }`],
    ['packages', `package ${'a.'.repeat(50_000)}a;`],
  ])('comes to an end with %s', async (_what, text) => {
    expect(await compile(`syntax = "proto3";${text}`)).toMatchObject({ ok: false })
  })
})
