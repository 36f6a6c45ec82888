/** What an engine on Kubernetes needs around it: a namespace with its rights, a NATS that is not its own, and settings. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalNatsServer } from '@kre/nats-manager'
import { createLogger, findNatsServer } from '@kre/service-kit'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { imageOf } from '../../../k8s-manager/src/testing/kubernetes-settings.ts'
import { root } from '../../support/kre.ts'
import { makeNamespace, type TestNamespace } from './test-cluster.ts'

export type EnginePlace = AsyncDisposable & {
  readonly home: string
  readonly namespace: TestNamespace
  /** Of the engine. */
  readonly environment: Readonly<Record<string, string>>
}

export async function makeEnginePlace(admin: Cluster): Promise<EnginePlace> {
  const home = await mkdtemp(join(tmpdir(), 'kre-engine-'))
  const namespace = await makeNamespace(admin)
  const nats = await startLocalNatsServer({
    dir: join(home, 'nats'),
    binary: await findNatsServer({
      cacheDir: join(root, '.kre/cache'),
      path: process.env['PATH'] ?? '',
    }),
    engineAbsenceMs: 60_000,
    logger: createLogger('test', { level: 'silent' }),
  })
  const [typescript, python, onnx, entrypoint] = ['a', 'b', 'c', 'd'].map(imageOf)
  const file = join(home, 'kubernetes.yaml')
  const settings = {
    namespace: namespace.name,
    images: { typescript, python, onnx, entrypoint },
    network: { nats: [{ cidr: '127.0.0.1/32', ports: [nats.port] }] },
    drainMs: 1_000,
    lameDuckMs: 0,
  }
  await writeFile(file, JSON.stringify(settings))
  return {
    home,
    namespace,
    environment: {
      KRE_TARGET: 'kubernetes',
      KRE_KUBERNETES_FILE: file,
      KRE_KUBECONFIG: await namespace.kubeconfig(),
      KRE_NATS_URL: `nats://127.0.0.1:${nats.port}`,
      KRE_NATS_KEYS_FILE: join(home, 'nats', 'keys.json'),
    },
    async [Symbol.asyncDispose]() {
      await namespace[Symbol.asyncDispose]()
      await nats.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}
