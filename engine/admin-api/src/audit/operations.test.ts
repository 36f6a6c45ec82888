import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { buildSchema, isEnumType } from 'graphql'
import { OPERATIONS } from '../access/operations.ts'
import { ACTIVITY_TYPES } from './activity-types.ts'
import { MUTATION_OPERATIONS } from './mutation-operations.ts'
import { concealValues, vars } from './operations.ts'
import { ROUTE_OPERATIONS, ROUTES_WITHOUT_RECORD } from './route-operations.ts'

const schema = buildSchema(
  readFileSync(new URL(import.meta.resolve('@kre/contracts/schema.graphql')), 'utf8'),
)

test('every mutation of the schema has a row, and there is no other', () => {
  const fields = Object.keys(schema.getMutationType()?.getFields() ?? {})
  expect(Object.keys(MUTATION_OPERATIONS).toSorted()).toEqual(fields.toSorted())
})

test('every route that is no GET has a row or a reason to have none', () => {
  const changing = Object.keys(OPERATIONS).filter((name) =>
    /^(?!GET |HEAD |OPTIONS )[A-Z]+ \//.test(name),
  )
  const known = [...Object.keys(ROUTE_OPERATIONS), ...Object.keys(ROUTES_WITHOUT_RECORD)]
  expect(known.filter((name) => !name.startsWith('GET ')).toSorted()).toEqual(changing.toSorted())
  for (const name of known) expect(Object.keys(OPERATIONS)).toContain(name)
})

test('the types of activities are those of the schema', () => {
  const type = schema.getType('UserActivityType')
  const values = isEnumType(type) ? type.getValues().map(({ name }) => name) : []
  expect([...ACTIVITY_TYPES].toSorted()).toEqual(values.toSorted())
})

test('no row keeps a field that holds a secret', () => {
  for (const { keep } of Object.values({ ...MUTATION_OPERATIONS, ...ROUTE_OPERATIONS }))
    for (const field of keep)
      expect(field).not.toMatch(/token|code|secret|password|configurationVariables|value/i)
})

test('values are concealed, whatever the list is', () => {
  expect(
    concealValues([{ key: 'A', value: 's3cret' }, { key: 'B', value: '' }, { key: 'C' }, null, 7]),
  ).toEqual({ A: '<set>', B: '<unset>', C: '<set>' })
  for (const none of [undefined, null, 'x', { key: 'A' }]) expect(concealValues(none)).toEqual({})
})

test('variables are texts, and empty ones are left out', () => {
  expect(vars({ A: 'x', B: null, C: undefined, D: '', E: ['u', 'v'], F: 3 })).toEqual([
    { key: 'A', value: 'x' },
    { key: 'E', value: 'u,v' },
    { key: 'F', value: '3' },
  ])
})
