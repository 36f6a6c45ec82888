/** The command line of KRE. */
import { getEventListeners } from 'node:events'
import { join } from 'node:path'
import { NAMES_COMMAND } from './completion/names-command.ts'
import { createContext } from './context.ts'
import { EXIT } from './output/exit-code.ts'

const interrupt = new AbortController()
const force = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!interrupt.signal.aborted) return interrupt.abort()
    force.abort()
    // Somebody who ends an engine takes the second one as "at once"; anybody else has nothing to tidy up.
    if (getEventListeners(force.signal, 'abort').length === 0) process.exit(EXIT.interrupted)
  })
}
// `krectl version logs … | head -1`: the reader has what it wants, so this ends, without a word.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') {
    process.stderr.write(`krectl: standard output can't be written: ${error.message}\n`)
    process.exitCode = EXIT.failed
  }
  interrupt.abort()
})
process.stderr.on('error', () => interrupt.abort())

const context = createContext({
  root: join(import.meta.dirname, '..', '..', '..'),
  // krectl.sh changes no folder, so this is where the user stands.
  cwd: process.cwd(),
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupt.signal,
  forced: force.signal,
})
const words = process.argv.slice(2)
if (words[0] === NAMES_COMMAND) {
  // Somebody has pressed TAB: nothing is loaded that this does not need, and nothing is waited for at the end.
  const { printNames } = await import('./completion/live-names.ts')
  await printNames(words.slice(1), context)
  await context.releases.disposeAsync()
  process.exit(EXIT.ok)
}
const { run } = await import('./run.ts')
const code = await run(words, context)
// Cut off by its reader, a command has done what was asked.
const cutOff = process.stdout.errored !== null && code === EXIT.interrupted
process.exitCode ??= cutOff ? EXIT.ok : code
