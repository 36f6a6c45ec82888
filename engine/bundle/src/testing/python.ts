/** python3 with protobuf and grpcio-tools, installed once below the checkout's .kre folder. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = ['protobuf==6.33.5', 'grpcio-tools==1.78.0']
const CACHE = fileURLToPath(new URL('../../../../.kre/test-tools', import.meta.url))
const INSTALL_TIMEOUT_MS = 120_000

export type Python = {
  /** @returns what it printed. Throws when it fails. */
  readonly run: (
    args: readonly string[],
    options: { cwd: string; env?: Record<string, string> },
  ) => string
}

/** Null where python3 or pip cannot be used; a test then skips and says so in its name. */
export function findPythonWithProtobuf(): Python | null {
  const target = join(CACHE, PACKAGES.join('-').replaceAll('=', ''))
  try {
    if (!existsSync(target)) install(target)
  } catch {
    if (!existsSync(target)) return null
  }
  return {
    run: (args, { cwd, env = {} }) =>
      execFileSync('python3', args, {
        cwd,
        encoding: 'utf8',
        env: { PATH: '/usr/local/bin:/usr/bin:/bin', PYTHONPATH: target, ...env },
      }),
  }
}

/** Another test file may install at the same time: the first rename wins, the other fails and finds it there. */
function install(target: string): void {
  mkdirSync(CACHE, { recursive: true })
  const draft = mkdtempSync(join(CACHE, 'installing-'))
  try {
    execFileSync(
      'python3',
      ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--target', draft, ...PACKAGES],
      { stdio: 'ignore', timeout: INSTALL_TIMEOUT_MS },
    )
    renameSync(draft, target)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
