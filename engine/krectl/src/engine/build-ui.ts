import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Context } from '../context.ts'

/** How much of what a failed build says is shown. */
const REASON_CHARS_MAX = 600

/**
 * Builds the admin UI when its sources have changed. An engine without it is still an engine: what goes wrong is said,
 * and nothing else.
 */
export async function buildUi(context: Context): Promise<void> {
  const script = join(context.root, 'admin-ui', 'scripts', 'build.ts')
  const child = spawn(process.execPath, [...process.execArgv, script], {
    cwd: context.root,
    // Another value, as tests have, would make a build for developers of the libraries.
    env: { ...context.environment, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const end = () => void child.kill()
  context.signal.addEventListener('abort', end)
  let said = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      errors += error.message
      resolve(1)
    })
    child.once('close', (exit) => resolve(exit ?? 1))
  })
  context.signal.removeEventListener('abort', end)
  if (context.signal.aborted) return
  if (code !== 0)
    context.output.step(
      `The admin UI could not be built, the engine runs without it: ${errors.trim().slice(0, REASON_CHARS_MAX)}`,
    )
  else if (said.includes('built')) context.output.step(`  ${said.trim()}`)
}
