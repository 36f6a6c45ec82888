/** Triton's Python clients in a virtual environment of their own: made once, kept in the repository's cache. */
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const here = join(import.meta.dirname, 'tritonclient')
const cache = resolve(import.meta.dirname, '../../.kre/cache')
const RUN_MS_MAX = 60_000

/** Runs the client and gives what it prints, or why this computer can't. */
export type Tritonclient = { run: (...args: string[]) => Promise<unknown> } | { reason: string }

export function prepareTritonclient(): Tritonclient {
  const requirements = join(here, 'requirements.txt')
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex')
  const folder = join(cache, `tritonclient-${digest.slice(0, 16)}`)
  const python = join(folder, 'bin/python')
  if (!existsSync(join(folder, 'ready'))) {
    mkdirSync(folder, { recursive: true })
    const install = ['-m', 'pip', 'install', '--quiet', '-r', requirements]
    const reason =
      problemOf('python3', ['-m', 'venv', '--clear', folder]) ?? problemOf(python, install)
    if (reason !== null) return { reason }
    writeFileSync(join(folder, 'ready'), '')
  }
  const run = promisify(execFile)
  return {
    async run(...args) {
      const { stdout } = await run(python, [join(here, 'client.py'), ...args], {
        timeout: RUN_MS_MAX,
      })
      return JSON.parse(stdout) as unknown
    },
  }
}

function problemOf(command: string, args: string[]): string | null {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? null : (error?.message ?? stderr.trim().split('\n').at(-1) ?? command)
}
