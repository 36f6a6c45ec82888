import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { BinaryReader } from '@bufbuild/protobuf/wire'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { describe, expect, test } from '@jest/globals'
import { DEFAULT_LIMITS } from '../limits.ts'
import { writePythonModules } from '../python/write-python-modules.ts'
import { compileClosure } from './compile-closure.ts'

const ANNOTATED = `syntax = "proto3"; import "google/api/annotations.proto"; message M { string name = 1; }
  service Entrypoint { rpc A (M) returns (M) { option (google.api.http) = { get: "/x" }; } }`

/** The annotation's fields as `number:text`, nested ones in parentheses. */
async function annotationOf(option: string): Promise<string | null> {
  const text = `syntax = "proto3"; import "google/api/annotations.proto"; message M { string name = 1; }
    service Entrypoint { rpc A (M) returns (M) { ${option} } }`
  const source = {
    has: (path: string) => path === 'public_input.proto',
    sizeOf: () => text.length,
    read: async () => Buffer.from(text),
  }
  const closure = await compileClosure('public_input.proto', source, DEFAULT_LIMITS)
  if (!closure.ok) throw new Error(JSON.stringify(closure.issues))
  const set = fromBinary(FileDescriptorSetSchema, closure.descriptorSet)
  const options = set.file.at(-1)?.service[0]?.method[0]?.options
  const [field] = options?.$unknown ?? []
  return field?.no === 72_295_728 ? describeFields(new BinaryReader(field.data).bytes()) : null
}

function describeFields(bytes: Uint8Array): string {
  const reader = new BinaryReader(bytes)
  const found: string[] = []
  while (reader.pos < reader.len) {
    const [number] = reader.tag()
    const value = reader.bytes()
    const isMessage = number === 8 || number === 11
    found.push(`${number}:${isMessage ? `(${describeFields(value)})` : String(Buffer.from(value))}`)
  }
  return found.join(' ')
}

describe('google.api.http', () => {
  test.each([
    ['option (google.api.http) = { get: "/v1/{name=a/*}" };', '2:/v1/{name=a/*}'],
    ['option (google.api.http).post = "/x"; option (google.api.http).body = "*";', '4:/x 7:*'],
    [
      'option (.google.api.http) = { put: "/x" body: "name" response_body: "name" additional_bindings { patch: "/y" } additional_bindings { custom: { kind: "HEAD" path: "/z" } } };',
      '3:/x 7:name 12:name 11:(6:/y) 11:(8:(1:HEAD 2:/z))',
    ],
    ['option deprecated = true;', null],
  ])('%s is kept in the descriptors', async (option, expected) => {
    expect(await annotationOf(option)).toBe(expected)
  })
})

describe('a node', () => {
  test('loads the messages of an annotated proto in Python, without the annotations', async () => {
    const source = {
      has: (path: string) => path === 'public_input.proto',
      sizeOf: () => ANNOTATED.length,
      read: async () => Buffer.from(ANNOTATED),
    }
    const closure = await compileClosure('public_input.proto', source, DEFAULT_LIMITS)
    if (!closure.ok) throw new Error(JSON.stringify(closure.issues))
    const folder = await mkdtemp(join(tmpdir(), 'kre-http-'))
    try {
      await writePythonModules(closure.descriptorSet, folder)
      expect(await readdir(folder)).toEqual(['public_input_pb2.py'])
      expect(await readFile(join(folder, 'public_input_pb2.py'), 'utf8')).not.toContain(
        'import annotations_pb2',
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
