/** The command line in this process, with what it writes kept as text. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { createContext } from '../context.ts'
import { run } from '../run.ts'

export type Outcome = { code: number; stdout: string; stderr: string }

const root = resolve(import.meta.dirname, '../../../..')

/** Runs one command line in an empty folder, on an empty data folder. */
export async function krectl(
  words: readonly string[],
  options: {
    root?: string
    cwd?: string
    environment?: Record<string, string>
    stdin?: string
  } = {},
): Promise<Outcome> {
  const scratch = await mkdtemp(join(tmpdir(), 'krectl-test-'))
  const written = { stdout: '', stderr: '' }
  const sink = (name: keyof typeof written) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written[name] += chunk.toString()
        done()
      },
    })
  try {
    const code = await run(
      words,
      createContext({
        root: options.root ?? root,
        cwd: options.cwd ?? scratch,
        environment: { KRE_DATA: join(scratch, 'data'), ...options.environment },
        stdin: Readable.from([options.stdin ?? '']),
        stdout: sink('stdout'),
        stderr: sink('stderr'),
        signal: new AbortController().signal,
      }),
    )
    return { code, ...written }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}
