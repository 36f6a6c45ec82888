/** cert-manager itself, as its Go module has it: its definitions, and its controllers as a process of this computer. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { installDefinitions } from '../../cluster/support/definitions.ts'
import { ask } from '../../cluster/support/test-cluster.ts'
import { pathOf } from './make-home.ts'

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

/** As `cmctl renew` asks for it. */
export async function renewCertificate(
  admin: Cluster,
  namespace: string,
  name: string,
): Promise<void> {
  const conditions = [{ type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: '' }]
  const path = `${pathOf('Certificate', namespace, name)}/status`
  await ask(admin, 'PATCH', path, { status: { conditions } }, 'application/merge-patch+json')
}
