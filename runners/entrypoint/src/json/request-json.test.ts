import { create, createFileRegistry, type DescMessage, fromBinary } from '@bufbuild/protobuf'
import {
  DescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import { describe, expect, test } from '@jest/globals'
import { KreError } from '@kre/contracts'
import fc from 'fast-check'
import { DOORS_DESCRIPTORS } from '../testing/doors-descriptors.ts'
import { requestJson } from './request-json.ts'
import { createRoute, type Route } from './route.ts'
import type { TypedMethod } from './typed-method.ts'

const all = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, Buffer.from(DOORS_DESCRIPTORS, 'base64')),
).getMessage('doors.All') as DescMessage

/** A route only asks for the messages of its method. */
function routeOf(message: DescMessage, template: string, body = ''): Route {
  const method = { input: message, output: message } as TypedMethod
  return createRoute({ method: 'GET', template, body, responseBody: '' }, method)
}

/** What `Object.prototype` should not have. */
const polluted = () => Object.keys(Object.prototype)

describe('the query of an annotated path', () => {
  const names = all.fields.flatMap(({ name, jsonName }) => [name, jsonName])
  const step = fc.constantFrom(...names, '__proto__', 'constructor', 'prototype', '', 'nobody')
  const parameter = fc.tuple(
    fc.array(step, { minLength: 1, maxLength: 4 }).map((path) => path.join('.')),
    fc.oneof(fc.string(), fc.constantFrom('1', 'true', 'GREEN', 'NaN')),
  )

  test('becomes JSON or is refused, and leaves prototypes alone', () => {
    fc.assert(
      fc.property(fc.array(parameter, { maxLength: 6 }), fc.string(), (parameters, more) => {
        const query = `${String(new URLSearchParams(parameters))}${more}`
        try {
          requestJson(routeOf(all, '/v1'), [], query, null)
        } catch (error) {
          expect(error).toBeInstanceOf(KreError)
          expect((error as KreError).code).toBe('invalid-argument')
        }
        expect(polluted()).toEqual([])
      }),
      { numRuns: 2_000 },
    )
  })

  test('of thousands of parameters is refused', () => {
    const query = 'text=x&'.repeat(1_001)
    expect(() => requestJson(routeOf(all, '/v1'), [], query, null)).toThrow('more than 1000')
  })
})

describe('a field that is called __proto__', () => {
  const field = (name: string, type: FieldDescriptorProto_Type, typeName = '') =>
    create(FieldDescriptorProtoSchema, {
      name,
      jsonName: name,
      number: 1,
      type,
      typeName,
      label: FieldDescriptorProto_Label.OPTIONAL,
    })
  const { MESSAGE, STRING } = FieldDescriptorProto_Type
  const file = create(FileDescriptorProtoSchema, {
    name: 'odd.proto',
    package: 'odd',
    syntax: 'proto3',
    messageType: [
      create(DescriptorProtoSchema, {
        name: 'Odd',
        field: [field('__proto__', MESSAGE, '.odd.Inner')],
      }),
      create(DescriptorProtoSchema, { name: 'Inner', field: [field('polluted', STRING)] }),
    ],
  })
  const odd = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getMessage(
    'odd.Odd',
  ) as DescMessage

  test.each([
    ['the query', () => requestJson(routeOf(odd, '/v1'), [], '__proto__.polluted=yes', null)],
    [
      'the path',
      () =>
        requestJson(
          routeOf(odd, '/v1/{__proto__.polluted}'),
          [{ field: ['__proto__', 'polluted'], text: 'yes' }],
          '',
          null,
        ),
    ],
  ])('is a field like others in %s', (_where, read) => {
    expect(JSON.stringify(read())).toBe('{"__proto__":{"polluted":"yes"}}')
    expect(polluted()).toEqual([])
  })
})
