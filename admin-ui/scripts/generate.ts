/** `node scripts/generate.ts [--check]`: writes the typed documents and their texts, or says that those there are old. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { generateDocuments } from '../build/generate-documents.ts'

for (const [file, text] of generateDocuments()) {
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  } else if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write(
      `${relative(process.cwd(), file)} is old: npm run generate -w @kre/admin-ui\n`,
    )
    process.exitCode = 1
  }
}
