import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { DOCUMENTS_FILE, generateDocuments } from '../../build/generate-documents.ts'

test('the typed documents are those of the operations and the schema (npm run generate -w @kre/admin-ui)', () => {
  expect(readFileSync(DOCUMENTS_FILE, 'utf8')).toBe(generateDocuments())
})
