/** Writes docs/access.md from the tables of rights: `npm run access:table`. */
import { writeFileSync } from 'node:fs'
import { writeAccessTable } from '../src/access/access-table.ts'

writeFileSync(new URL('../../../docs/access.md', import.meta.url), writeAccessTable())
