/** The processes of the test cluster, for tests that halt or end them. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { waitUntil } from '@kre/service-kit'
import { root } from '../../support/kre.ts'

export type ClusterProcess = 'etcd' | 'kube-apiserver'

/** Folder of the cluster that `tests/cluster/machine/up.sh` has started; null = this one is somebody else's. */
const folder = findFolder(process.env['KRE_TEST_CLUSTER'] ?? '')

/** Whether tests may end processes of the cluster. */
export const isOwnCluster = folder !== null

/** Of the API server; etcd has the next one. */
export function clusterPort(): number {
  return Number(readFileSync(join(ownFolder(), 'port'), 'utf8'))
}

/** Its key signs tokens of service accounts, for example. */
export function clusterKey(name: string): string {
  return readFileSync(join(ownFolder(), 'pki', name), 'utf8')
}

/** The process does nothing from now on, as on a machine that hangs. Disposing lets it go on. */
export function halt(name: ClusterProcess): AsyncDisposable {
  const pid = pidOf(name)
  process.kill(pid, 'SIGSTOP')
  return {
    async [Symbol.asyncDispose]() {
      process.kill(pid, 'SIGCONT')
    },
  }
}

/** Resolves when the process is gone. Disposing starts it again, with the same data, and waits until it serves. */
export async function end(name: ClusterProcess): Promise<AsyncDisposable> {
  const pid = pidOf(name)
  process.kill(pid, 'SIGKILL')
  await waitUntil(`${name} is gone`, () => !isAlive(pid), { timeoutMs: 90_000 })
  return { [Symbol.asyncDispose]: startAgain }
}

/** Starts what is not running. */
async function startAgain(): Promise<void> {
  const port = String(clusterPort())
  await promisify(execFile)('bash', [join(root, 'tests/cluster/machine/up.sh')], {
    env: { ...process.env, KRE_CLUSTER_DIR: ownFolder(), KRE_CLUSTER_PORT: port },
    timeout: 300_000,
  })
}

function pidOf(name: ClusterProcess): number {
  return Number(readFileSync(join(ownFolder(), 'pid', name), 'utf8'))
}

function isAlive(pid: number): boolean {
  try {
    // One that nobody has waited for yet has closed all it had.
    return !/^\d+ \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function ownFolder(): string {
  if (folder === null) throw new Error('the cluster was not started by tests/cluster/machine/up.sh')
  return folder
}

function findFolder(kubeconfig: string): string | null {
  const found = dirname(dirname(kubeconfig))
  return existsSync(join(found, 'pid', 'kube-apiserver')) ? found : null
}
