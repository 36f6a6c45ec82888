/** The target for Kubernetes on a cluster in memory. */
import { createLogger } from '@kre/service-kit'
import { createKubernetesTarget } from '../kubernetes/create-kubernetes-target.ts'
import type { KubernetesSettings } from '../kubernetes/settings.ts'
import type { FakeCluster } from './fake-cluster.ts'
import { kubernetesSettings } from './kubernetes-settings.ts'

export function openFakeTarget(
  cluster: FakeCluster,
  {
    settings = kubernetesSettings(),
    now = Date.now,
  }: { settings?: KubernetesSettings; now?: () => number } = {},
) {
  return createKubernetesTarget({
    cluster,
    settings,
    now,
    logger: createLogger('test', { level: 'silent' }),
    runnerAccess: () => ({
      servers: ['nats://nats:4222'],
      user: '',
      password: '',
      credentials: { jwt: 'jwt', seed: 'seed', expiresUnixMs: null },
    }),
    provideBundle: async () => undefined,
  })
}
