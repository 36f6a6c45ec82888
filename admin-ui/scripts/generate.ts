/** `node scripts/generate.ts [--check]`: writes the typed documents, or says that those there are old. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DOCUMENTS_FILE, generateDocuments } from '../build/generate-documents.ts'

const text = generateDocuments()
if (!process.argv.includes('--check')) {
  mkdirSync(dirname(DOCUMENTS_FILE), { recursive: true })
  writeFileSync(DOCUMENTS_FILE, text)
} else if (readFileSync(DOCUMENTS_FILE, 'utf8') !== text) {
  process.stderr.write('src/gen/documents.ts is old: npm run generate -w @kre/admin-ui\n')
  process.exitCode = 1
}
