import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { ISSUE_CODES } from './issue-codes.ts'
import { krtJsonSchema } from './krt-json-schema.ts'
import { edit, GRAPH, SEED_SAMPLE } from './testing/manifest-text.ts'

describe('ISSUE_CODES', () => {
  test('says of every code in a sentence what it means', () => {
    for (const [code, { meaning }] of Object.entries(ISSUE_CODES)) {
      expect(code).toMatch(/^[A-Z][A-Z_]+$/)
      expect(meaning).toMatch(/^[A-Za-z].*\.(?: \[V\d+\])?$/)
    }
  })

  test('covers every rule of the KRT reference that has a code', () => {
    const meanings = Object.values(ISSUE_CODES).map(({ meaning }) => meaning)
    // V24 has none: composed names fit by construction.
    const rules = Array.from({ length: 27 }, (_, i) => i + 1).filter((rule) => rule !== 24)
    for (const rule of rules)
      expect(meanings.some((text) => text.includes(`[V${rule}]`))).toBe(true)
  })
})

describe('krtJsonSchema', () => {
  test.each([
    ['the sample of the README', SEED_SAMPLE, true],
    ['a graph', GRAPH, true],
    ['a graph with a number for a version', edit(GRAPH, ['demo-v1', '12']), false],
    ['a graph with an unknown key', edit(GRAPH, ['krtVersion', 'owner: me\nkrtVersion']), false],
  ])('judges %s as the validator does', (_what, text, valid) => {
    const schema = z.fromJSONSchema(krtJsonSchema() as Parameters<typeof z.fromJSONSchema>[0])
    expect(schema.safeParse(parse(text)).success).toBe(valid)
  })

  test('describes both generations, without room for unknown keys', () => {
    const schema = krtJsonSchema() as {
      $schema: string
      anyOf: { required: string[]; additionalProperties: boolean }[]
    }
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema')
    expect(schema.anyOf.map(({ required }) => required)).toEqual([
      ['version', 'description', 'entrypoint', 'workflows'],
      ['version', 'description', 'entrypoint', 'nodes', 'workflows'],
    ])
    expect(schema.anyOf.every(({ additionalProperties }) => !additionalProperties)).toBe(true)
  })
})
