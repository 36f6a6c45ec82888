import { describe, expect, test } from '@jest/globals'
import {
  groupFields,
  indexTypes,
  initialValue,
  inputKindOf,
  isNumberOf,
  keyIn,
  numberOf,
  unwrapped,
  type Field,
} from './message-types.ts'

const field = (name: string, changes: Partial<Field> = {}): Field => ({
  name,
  jsonName: name,
  kind: 'SCALAR',
  type: 'string',
  label: 'SINGLE',
  keyType: null,
  oneof: null,
  comment: '',
  ...changes,
})
const NO_TYPES = indexTypes({ name: 's', rpcs: [], messages: [], enums: [] })

describe('message types', () => {
  test.each([
    ['SCALAR', 'bool', 'bool', false],
    ['SCALAR', 'int32', 'int', 0],
    ['SCALAR', 'sfixed64', 'int', '0'],
    ['SCALAR', 'fixed32', 'int', 0],
    ['SCALAR', 'double', 'float', 0],
    ['SCALAR', 'string', 'string', ''],
    ['SCALAR', 'bytes', 'bytes', ''],
    ['ENUM', 'a.Kind', 'enum', 0],
    ['ENUM', 'google.protobuf.NullValue', 'null', null],
    ['MESSAGE', 'a.Message', 'message', {}],
    ['MESSAGE', 'google.protobuf.Timestamp', 'timestamp', '1970-01-01T00:00:00Z'],
    ['MESSAGE', 'google.protobuf.Duration', 'duration', '0s'],
    ['MESSAGE', 'google.protobuf.FieldMask', 'string', ''],
    ['MESSAGE', 'google.protobuf.Struct', 'json', {}],
    ['MESSAGE', 'google.protobuf.ListValue', 'json', []],
    ['MESSAGE', 'google.protobuf.Any', 'json', {}],
    ['MESSAGE', 'google.protobuf.Empty', 'message', {}],
    ['MESSAGE', 'google.protobuf.UInt64Value', 'int', '0'],
    ['MESSAGE', 'google.protobuf.BytesValue', 'bytes', ''],
    ['MESSAGE', 'google.protobuf.BoolValue', 'bool', false],
  ] as const)('a %s %s is typed in as %s', (kind, type, input, initial) => {
    expect(inputKindOf({ kind, type })).toBe(input)
    expect(initialValue({ kind, type }, NO_TYPES)).toEqual(initial)
  })

  test('a wrapper is its scalar', () => {
    expect(unwrapped('google.protobuf.Int64Value')).toBe('int64')
    expect(unwrapped('int64')).toBe('int64')
    expect(unwrapped('google.protobuf.NullValue')).toBe('google.protobuf.NullValue')
  })

  test('fields of a oneof stand together, where the first of them is', () => {
    const fields = [field('a'), field('b', { oneof: 'x' }), field('c'), field('d', { oneof: 'x' })]
    const groups = groupFields(fields).map((group) =>
      group.kind === 'field'
        ? group.field.name
        : [group.name, ...group.fields.map(({ name }) => name)],
    )
    expect(groups).toEqual(['a', ['x', 'b', 'd'], 'c'])
  })

  test('numbers are typed as JSON has them', () => {
    expect(numberOf('12', 'int32')).toBe(12)
    expect(numberOf('12', 'uint64')).toBe('12')
    expect(numberOf(' -1.5e3', 'double')).toBe(-1_500)
    expect(numberOf('NaN', 'float')).toBe('NaN')
    expect(numberOf('1.5', 'int32')).toBe('1.5')
    expect(numberOf('99999999999999999999', 'int32')).toBe('99999999999999999999')
    expect(numberOf('-', 'int32')).toBe('-')
  })

  test.each([
    [2_147_483_647, 'int32', true],
    [2_147_483_648, 'int32', false],
    ['-2147483648', 'sint32', true],
    [4_294_967_295, 'fixed32', true],
    [-1, 'uint32', false],
    ['18446744073709551615', 'uint64', true],
    ['9223372036854775808', 'sfixed64', false],
    ['1.5', 'int32', false],
    ['abc', 'int64', false],
    [1.5, 'double', true],
    ['Infinity', 'float', true],
    ['abc', 'float', false],
    [undefined, 'int32', true],
  ])('%p as %s: %p', (value, scalar, is) => {
    expect(isNumberOf(value, scalar)).toBe(is)
  })

  test('a key may be written as in the .proto', () => {
    const some = field('some_name', { jsonName: 'someName' })
    expect(keyIn({}, some)).toBe('someName')
    expect(keyIn({ some_name: 1 }, some)).toBe('some_name')
    expect(keyIn({ some_name: 1, someName: 2 }, some)).toBe('someName')
  })
})
