/** Writes docs/cli.md from the program: `npm run docs:cli`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createContext } from '../src/context.ts'
import { createProgram } from '../src/program.ts'
import { writeCliReference } from '../src/reference/cli-reference.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const { stdin, stdout, stderr } = process
const { signal } = new AbortController()
const program = createProgram(
  createContext({ root, cwd: root, environment: {}, stdin, stdout, stderr, signal }),
)
writeFileSync(join(root, 'docs', 'cli.md'), writeCliReference(program))
