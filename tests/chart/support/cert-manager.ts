/** cert-manager itself, as its Go module has it: its definitions, and its controllers as a process of this computer. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { installDefinitions } from '../../cluster/support/definitions.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const BUILD = join(ROOT, 'tests/chart/cert-manager/build.sh')

/** Folder of what `build.sh` makes, which takes minutes once; null = it can't be made here, and it was said why. */
export async function findCertManager(): Promise<string | null> {
  try {
    const env = { ...process.env, KRE_CLUSTER_DIR: join(ROOT, '.kre/test-cluster') }
    const { stdout } = await promisify(execFile)('bash', [BUILD], { env })
    return stdout.trim()
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    process.stderr.write(`skipped: certificates by cert-manager: ${stderr || String(error)}\n`)
    return null
  }
}

/**
 * Disposing ends it, and takes its definitions away with all objects of their kinds.
 *
 * @param folder of `findCertManager`.
 * @param log file for what it says.
 */
export async function startCertManager(
  admin: Cluster,
  folder: string,
  log: string,
): Promise<AsyncDisposable> {
  const definitions = join(folder, 'definitions')
  const names = (await readdir(definitions)).filter((name) => name.endsWith('.yaml'))
  const installed = await installDefinitions(
    admin,
    names.map((name) => join(definitions, name)),
  )
  const out = await open(log, 'a')
  const kubeconfig = process.env['KRE_TEST_CLUSTER'] ?? ''
  const stdio = ['ignore', out.fd, out.fd] as const
  const child = spawn(join(folder, 'cert-manager'), [kubeconfig], { stdio: [...stdio] })
  const ended = once(child, 'exit')
  await out.close()
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      await installed[Symbol.asyncDispose]()
    },
  }
}
