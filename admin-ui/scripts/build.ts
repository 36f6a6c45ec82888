/** `node scripts/build.ts [--force]`: builds the admin UI when its sources have changed. */
import { buildUi } from '../build/build-ui.ts'

const began = performance.now()
const built = await buildUi({ force: process.argv.includes('--force') })
const seconds = ((performance.now() - began) / 1000).toFixed(1)
process.stdout.write(built ? `admin UI built in ${seconds} s\n` : 'admin UI is up to date\n')
