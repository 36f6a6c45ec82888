import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { generateDocuments } from '../../build/generate-documents.ts'

test('the typed documents, and the list of texts, are those of the operations and the schema (npm run generate -w @kre/admin-ui)', () => {
  for (const [file, text] of generateDocuments()) expect(readFileSync(file, 'utf8')).toBe(text)
})
