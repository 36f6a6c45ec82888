import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql'
import { breakingChanges } from '../testing/compare-schemas.ts'
import { writeApiReference } from './api-reference.ts'
import { DEVIATIONS } from './deviations.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const sdl = readFileSync(new URL(import.meta.resolve('@kre/contracts/schema.graphql')), 'utf8')
const schema = buildSchema(sdl)
const kre = buildSchema(read('../testing/kre-schema.graphql'))

describe('the schema', () => {
  test('has everything that clients of KRE know, but what has a reason', () => {
    expect([...breakingChanges(kre, schema).keys()].toSorted()).toEqual(
      Object.keys(DEVIATIONS).toSorted(),
    )
  })

  test('says in docs/migration.md where it deviates, and why', () => {
    // Tables are padded by the formatter.
    const document = read('../../../../docs/migration.md').replaceAll(/ +/g, ' ')
    for (const [place, why] of Object.entries(DEVIATIONS))
      expect(document).toContain(`| \`${place}\` | ${why} |`)
  })

  test('documents every type, field, argument and value', () => {
    const silent = Object.values(schema.getTypeMap()).flatMap((type) => {
      if (type.name.startsWith('__') || isSpecifiedScalarType(type)) return []
      const own = isSaid(type.description) ? [] : [type.name]
      if (isEnumType(type))
        return [...own, ...type.getValues().flatMap((value) => silentAt(type.name, value))]
      if (isInputObjectType(type))
        return [
          ...own,
          ...Object.values(type.getFields()).flatMap((one) => silentAt(type.name, one)),
        ]
      if (!isObjectType(type)) return own
      const fields = Object.values(type.getFields()).flatMap((field) => [
        ...silentAt(type.name, field),
        ...field.args.flatMap((argument) => silentAt(`${type.name}.${field.name}`, argument)),
      ])
      return [...own, ...fields]
    })
    expect(silent).toEqual([])
  })

  test('is told in docs/api.md as it is: npm run docs:api', () => {
    expect(read('../../../../docs/api.md')).toBe(writeApiReference(schema))
  })
})

describe('the comparison of schemas', () => {
  const changed = (from: string, to: string) =>
    Object.fromEntries(breakingChanges(buildSchema(from), buildSchema(to)))
  const query = (fields: string) => `type Query { ${fields} }`

  test.each<[string, string, string, Record<string, string>]>([
    ['a field less', query('a: Int b: Int'), query('a: Int'), { 'Query.b': 'is gone' }],
    ['a field more', query('a: Int'), query('a: Int b: Int'), {}],
    ['another type', query('a: Int'), query('a: String'), { 'Query.a': 'is String now' }],
    ['null where none was', query('a: Int!'), query('a: Int'), { 'Query.a': 'is Int now' }],
    ['no null any more', query('a: Int'), query('a: Int!'), {}],
    ['a list', query('a: Int'), query('a: [Int]'), { 'Query.a': 'is [Int] now' }],
    ['null in a list', query('a: [Int!]'), query('a: [Int]'), { 'Query.a': 'is [Int] now' }],
    ['a DateTime', query('a: String'), `scalar DateTime ${query('a: DateTime')}`, {}],
    [
      'a DateTime in an argument',
      query('a(b: String): Int'),
      `scalar DateTime ${query('a(b: DateTime): Int')}`,
      { 'Query.a(b)': 'is DateTime now' },
    ],
    ['an argument less', query('a(b: Int): Int'), query('a: Int'), { 'Query.a(b)': 'is gone' }],
    ['an argument that may be left out', query('a: Int'), query('a(b: Int): Int'), {}],
    [
      'an argument that may not',
      query('a: Int'),
      query('a(b: Int!): Int'),
      { 'Query.a(b)': 'is required now' },
    ],
    ['an argument with a default', query('a: Int'), query('a(b: Int! = 1): Int'), {}],
    [
      'a value less',
      `enum E { A B } ${query('a: E')}`,
      `enum E { A } ${query('a: E')}`,
      { 'E.B': 'is gone' },
    ],
    [
      'a required input',
      `input I { a: Int } ${query('a(i: I): Int')}`,
      `input I { a: Int b: Int! } ${query('a(i: I): Int')}`,
      { 'I.b': 'is required now' },
    ],
  ])('sees %s', (_, from, to, expected) => {
    expect(changed(from, to)).toEqual(expected)
  })
})

type Documented = { readonly name: string; readonly description?: string | null | undefined }

function silentAt(place: string, one: Documented): string[] {
  const isExplainedOnce = schema.description?.includes(`\`${one.name}\``) ?? false
  return isExplainedOnce || isSaid(one.description) ? [] : [`${place}.${one.name}`]
}

/** `[+]` alone says where it is from, not what it is. */
function isSaid(description: string | null | undefined): boolean {
  return (description ?? '').replace('[+]', '').trim() !== ''
}
