import { join, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { createOutput, type Output } from './output/output.ts'
import type { EngineOptions } from './profiles/choose-engine.ts'

/** What every command works with; built once in main.ts, and by tests. */
export type Context = {
  /** Root of the repository. */
  root: string
  /** Folder the user stands in. */
  cwd: string
  environment: Readonly<Record<string, string | undefined>>
  stdin: Readable
  stdout: Writable
  stderr: Writable
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP, and when nobody reads the output any more. */
  signal: AbortSignal
  /** Aborts on the second: what was going to end gently ends by force. */
  forced: AbortSignal
  /** Set from the global options before a command runs. `dataDir` belongs to this computer's engine. */
  dataDir: string
  engineOptions: EngineOptions
  /** What ends with the command, as a way to an engine that was opened for it. */
  releases: AsyncDisposableStack
  output: Output
  verbose: boolean
}

export function createContext(
  base: Omit<
    Context,
    'dataDir' | 'engineOptions' | 'releases' | 'output' | 'verbose' | 'forced'
  > & {
    forced?: AbortSignal
  },
): Context {
  return {
    forced: new AbortController().signal,
    ...base,
    dataDir: join(base.root, '.kre'),
    engineOptions: {},
    releases: new AsyncDisposableStack(),
    output: createOutput(base.stdout, base.stderr),
    verbose: false,
  }
}

type CachePlace = Pick<Context, 'root'> & Partial<Pick<Context, 'cwd' | 'environment'>>

/** `$KRE_CACHE`, or `<repository>/.kre/cache`: what any engine of this checkout can share and make again. */
export function cacheDir({ root, cwd = root, environment = {} }: CachePlace): string {
  const wanted = environment['KRE_CACHE'] ?? ''
  return wanted === '' ? join(root, '.kre', 'cache') : resolve(cwd, wanted)
}
