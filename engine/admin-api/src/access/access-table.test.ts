import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { writeAccessTable } from './access-table.ts'

test('docs/access.md tells the tables as they are: npm run access:table', () => {
  const page = readFileSync(new URL('../../../../docs/access.md', import.meta.url), 'utf8')
  expect(page).toBe(writeAccessTable())
})
