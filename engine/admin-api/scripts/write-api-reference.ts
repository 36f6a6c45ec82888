/** Writes docs/api.md from the schema: `npm run docs:api`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { buildSchema } from 'graphql'
import { writeApiReference } from '../src/graphql/api-reference.ts'

const sdl = readFileSync(new URL(import.meta.resolve('@kre/contracts/schema.graphql')), 'utf8')
writeFileSync(new URL('../../../docs/api.md', import.meta.url), writeApiReference(buildSchema(sdl)))
