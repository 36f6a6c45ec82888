import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { join } from 'node:path'
import { cacheDir, type Context } from '../context.ts'

/** Exit code of an engine that found another one on its data folder (sysexits.h, EX_TEMPFAIL). */
export const EXIT_BUSY = 75

/**
 * What an engine makes and drops again at once are pages of JSON: with the default, three times 16 MiB of them stay in
 * memory. The image of the engine says the same.
 */
const V8_FLAGS = ['--max-semi-space-size=8']

/**
 * The engine's program on the data folder: `run` serves, `stop` ends what an engine left behind, `reset-keys` gives up what
 * no master key opens.
 */
export function spawnEngine(
  context: Context,
  verb: 'run' | 'stop' | 'reset-keys',
  options: { stdio: StdioOptions; detached?: boolean; environment?: Record<string, string> },
): ChildProcess {
  const main = join(context.root, 'engine', 'all-in-one', 'src', 'main.ts')
  return spawn(process.execPath, [...process.execArgv, ...V8_FLAGS, main, verb], {
    cwd: context.root,
    env: {
      // Compiled code of one start is there for the next.
      NODE_COMPILE_CACHE: join(cacheDir(context), 'code'),
      ...context.environment,
      KRE_DATA: context.dataDir,
      KRE_CACHE: cacheDir(context),
      ...options.environment,
    },
    stdio: options.stdio,
    detached: options.detached ?? false,
  })
}
