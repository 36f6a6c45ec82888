/**
 * `node scripts/build.ts [--force] [--base /ui/] [--out DIR]`: builds the admin UI when its sources have changed. The
 * base is for static servers, which can't tell the page where its files are; the folder (default: `dist`) is exchanged as
 * a whole.
 */
import { buildUi } from '../build/build-ui.ts'

const began = performance.now()
const built = await buildUi({
  force: process.argv.includes('--force'),
  base: valueOf('--base'),
  out: valueOf('--out'),
})
const seconds = ((performance.now() - began) / 1000).toFixed(1)
process.stdout.write(built ? `admin UI built in ${seconds} s\n` : 'admin UI is up to date\n')

function valueOf(option: string): string | null {
  const at = process.argv.indexOf(option)
  return at < 0 ? null : (process.argv[at + 1] ?? null)
}
