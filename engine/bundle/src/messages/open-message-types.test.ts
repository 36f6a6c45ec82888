import { describe, expect, test } from '@jest/globals'
import { DEFAULT_LIMITS } from '../limits.ts'
import { compileClosure } from '../proto/compile-closure.ts'
import { openMessageTypes } from './open-message-types.ts'
import { readProtoComments } from './read-proto-comments.ts'

const PROTO = `syntax = "proto3";
package shop;

import "google/protobuf/timestamp.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/wrappers.proto";

/* Takes orders. */
service Entrypoint {
  // Takes one.
  rpc Order(Order) returns (Receipt);
  rpc Other(google.protobuf.Struct) returns (Receipt);
}

// What somebody wants.
// <script>alert(1)</script>
message Order {
  string customer = 1; // Behind the field.
  optional int32 table = 2;
  repeated Item items = 3;
  map<string, Kind> kinds = 4;
  oneof pay {
    /** In coins. */
    uint64 cash = 5;
    bytes card = 6;
  }
  google.protobuf.Timestamp at = 7;
  google.protobuf.Int32Value guests = 8;
  Order before = 9;
  google.protobuf.NullValue nothing = 10;

  message Item {
    string some_name = 1;
  }
}

// Of dishes.
enum Kind {
  KIND_COLD = 0;
  // From the oven.
  KIND_HOT = 1;
}

message Receipt {
  double sum = 1;
}
`

async function open(text = PROTO) {
  const source = {
    has: (path: string) => path === 'shop.proto',
    sizeOf: () => text.length,
    read: async () => new TextEncoder().encode(text),
  }
  const closure = await compileClosure('shop.proto', source, DEFAULT_LIMITS)
  if (!closure.ok) throw new Error(JSON.stringify(closure.issues))
  return openMessageTypes(closure.descriptorSet)
}

describe('openMessageTypes', () => {
  test('describes a message and what it is made of, each type once, with the comments', async () => {
    const types = await open()
    expect(types.files).toEqual(['shop.proto'])
    const comments = readProtoComments([PROTO])
    const { messages, enums } = types.describe(['shop.Order', 'shop.Order'], comments)
    expect(messages.map(({ name }) => name)).toEqual(['shop.Order', 'shop.Order.Item'])
    expect(messages[0]?.comment).toBe('What somebody wants.\n<script>alert(1)</script>')
    const short = messages[0]?.fields.map(({ name, kind, type, label, keyType, oneof }) =>
      [name, kind, type, label, keyType ?? '', oneof ?? ''].join(' ').trim(),
    )
    expect(short).toEqual([
      'customer SCALAR string SINGLE',
      'table SCALAR int32 OPTIONAL',
      'items MESSAGE shop.Order.Item REPEATED',
      'kinds ENUM shop.Kind MAP string',
      'cash SCALAR uint64 SINGLE  pay',
      'card SCALAR bytes SINGLE  pay',
      'at MESSAGE google.protobuf.Timestamp SINGLE',
      'guests MESSAGE google.protobuf.Int32Value SINGLE',
      'before MESSAGE shop.Order SINGLE',
      'nothing ENUM google.protobuf.NullValue SINGLE',
    ])
    expect(messages[0]?.fields.map(({ comment }) => comment).filter(Boolean)).toEqual([
      'Behind the field.',
      'In coins.',
    ])
    expect(messages[1]?.fields[0]).toMatchObject({ name: 'some_name', jsonName: 'someName' })
    expect(enums).toEqual([
      {
        name: 'shop.Kind',
        comment: 'Of dishes.',
        values: [
          { name: 'KIND_COLD', number: 0, comment: '' },
          { name: 'KIND_HOT', number: 1, comment: 'From the oven.' },
        ],
      },
    ])
    expect(comments.get('shop.Entrypoint.Order')).toBe('Takes one.')
  })

  test('describes nothing of types that have a JSON form of their own', async () => {
    const types = await open()
    expect(types.describe(['google.protobuf.Struct', 'shop.Unknown'], new Map())).toEqual({
      messages: [],
      enums: [],
    })
  })

  test('shows messages in their JSON form, without what is not set', async () => {
    const types = await open()
    const order = Buffer.from('0a0341646128053a020801', 'hex')
    expect(JSON.parse(types.toJson('shop.Order', order))).toEqual({
      customer: 'Ada',
      cash: '5',
      at: '1970-01-01T00:00:01Z',
    })
    expect(types.toJson('shop.Order', new Uint8Array(0))).toBe('{}')
  })

  test.each([
    ['of an unknown type', 'shop.Nope', ''],
    ['that are cut', 'shop.Order', '0a05416461'],
    ['that are something else', 'shop.Order', 'ffffffffffffffffffffff'],
    ['that are nested too deep', 'shop.Order', nested(60_000)],
  ])('refuses bytes %s', async (_, type, hex) => {
    const types = await open()
    expect(() => types.toJson(type, Buffer.from(hex, 'hex'))).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    )
  })
})

describe('readProtoComments', () => {
  test('has none of a file that does not parse, and goes on', () => {
    expect(readProtoComments(['message {', PROTO]).size).toBeGreaterThan(3)
  })

  test('cuts what nobody reads', () => {
    const comments = readProtoComments([
      `syntax = "proto3"; // ${'x'.repeat(5_000)}\nmessage A {}`,
      `syntax = "proto3";\n// ${'y'.repeat(5_000)}\nmessage B {}`,
    ])
    expect(comments.get('B')).toHaveLength(1_000)
  })
})

/** Messages in messages: field 9 again and again. */
function nested(depth: number): string {
  let inner = Buffer.alloc(0)
  for (let i = 0; i < depth && inner.length < 16_000; i++) {
    const length: number[] = []
    for (let rest = inner.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest)
      if (rest <= 127) break
    }
    inner = Buffer.concat([Buffer.from([0x4a, ...length]), inner])
  }
  // Cut at the end, so that it is wrong even where the stack is deep enough.
  return Buffer.concat([inner, Buffer.from([0x4a])]).toString('hex')
}
