/**
 * `node scripts/build.ts [--force] [--base /ui/]`: builds the admin UI when its sources have changed. The base is for
 * static servers, which can't tell the page where its files are.
 */
import { buildUi } from '../build/build-ui.ts'

const began = performance.now()
const baseAt = process.argv.indexOf('--base')
const base = baseAt < 0 ? null : (process.argv[baseAt + 1] ?? null)
const built = await buildUi({ force: process.argv.includes('--force'), base })
const seconds = ((performance.now() - began) / 1000).toFixed(1)
process.stdout.write(built ? `admin UI built in ${seconds} s\n` : 'admin UI is up to date\n')
