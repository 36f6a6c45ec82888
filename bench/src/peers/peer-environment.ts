/** Environments of peers: made once for each set of pins, kept in the cache of the checkout. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = resolve(import.meta.dirname, '../../../.kre/cache/bench-peers')
/** Ray is large. */
const INSTALL_MS_MAX = 600_000

export type PeerLanguage = 'python' | 'node'
/** Interpreter and program. */
export type PeerCommand = readonly [interpreter: string, program: string]

/**
 * @param folder of the peer, with its pins and its program.
 * @throws Error in the installer's words when it can't be installed.
 */
export async function preparePeer(
  name: string,
  language: PeerLanguage,
  folder: string,
  signal: AbortSignal,
): Promise<PeerCommand> {
  const pins = language === 'python' ? 'requirements.txt' : 'package-lock.json'
  const digest = createHash('sha256')
    .update(await readFile(join(folder, pins)))
    .digest('hex')
  const environment = join(cache, `${name}-${digest.slice(0, 16)}`)
  const ready = join(environment, 'ready')
  if (!existsSync(ready)) {
    await rm(environment, { recursive: true, force: true })
    await mkdir(environment, { recursive: true })
    const options = { signal, timeout: INSTALL_MS_MAX }
    if (language === 'python') await installPython(environment, folder, options)
    else await installNode(environment, folder, options)
    await writeFile(ready, '')
  }
  if (language === 'python') return [join(environment, 'bin/python'), join(folder, 'chain.py')]
  // Packages are looked for from where a module is.
  const program = join(environment, 'chain.mjs')
  await copyFile(join(folder, 'chain.mjs'), program)
  return [process.execPath, program]
}

type InstallOptions = { signal: AbortSignal; timeout: number }

async function installPython(environment: string, folder: string, options: InstallOptions) {
  await run('python3', ['-m', 'venv', environment], options)
  const requirements = join(folder, 'requirements.txt')
  const pip = ['-m', 'pip', 'install', '--quiet', '-r', requirements]
  await run(join(environment, 'bin/python'), pip, options)
}

async function installNode(environment: string, folder: string, options: InstallOptions) {
  for (const file of ['package.json', 'package-lock.json'])
    await copyFile(join(folder, file), join(environment, file))
  // No script of a package is needed: binaries are in the packages.
  const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', words, { ...options, cwd: environment })
}
