/** The command line of KRE. */
import { join } from 'node:path'
import { createContext } from './context.ts'
import { run } from './run.ts'

const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort())

const context = createContext({
  root: join(import.meta.dirname, '..', '..', '..'),
  // krectl.sh changes no folder, so this is where the user stands.
  cwd: process.cwd(),
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupt.signal,
})
process.exitCode = await run(process.argv.slice(2), context)
