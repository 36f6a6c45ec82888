/** Credentials of pods: written before the pods that use them, and again before they expire, as long as pods run. */
import type { NatsAccess, Workload } from '@kre/contracts'
import type { V1OwnerReference } from '@kubernetes/client-node'
import type { Logger } from '@kre/service-kit'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import { accessSecret, type BundleAccess } from './manifests/secrets.ts'
import type { KubernetesSettings } from './settings.ts'

/** Renewed when so much of their life is over: the kubelet needs a minute to bring them to the pods. */
const RENEW_AT = 0.4
const RETRY_MS = 5_000
/** Made at once; each costs a signature and a request. */
const RENEWED_PER_TICK = 8

export type AccessDeps = {
  objects: ClusterObjects
  settings: KubernetesSettings
  runnerAccess: (workload: Workload) => NatsAccess | Promise<NatsAccess>
  bundleAccess: (workload: Workload) => BundleAccess | Promise<BundleAccess>
  logger: Logger
  /** Unix ms. */
  now: () => number
}

export type KeptAccess = {
  write(workload: Workload, owner: V1OwnerReference): Promise<void>
  /**
   * Call it every second or so with all workloads that run. Those that are new to it get credentials at once: nobody
   * knows how old theirs are.
   */
  tick(running: Iterable<readonly [Workload, V1OwnerReference]>): Promise<void>
}

export function createKeptAccess(deps: AccessDeps): KeptAccess {
  const { objects, settings, logger, now } = deps
  /** By workload id; `Infinity` = does not expire. */
  let dueAt = new Map<string, number>()

  const write = async (workload: Workload, owner: V1OwnerReference) => {
    const nats = await deps.runnerAccess(workload)
    const bundle = workload.bundleDigest === null ? null : await deps.bundleAccess(workload)
    const metadata = { namespace: settings.namespace, ownerReferences: [owner] }
    await objects.apply(accessSecret(workload, settings, metadata, { nats, bundle }))
    const expiresAt = nats.credentials?.expiresUnixMs ?? Infinity
    dueAt.set(workload.id, now() + (expiresAt - now()) * RENEW_AT)
  }

  const renew = async (workload: Workload, owner: V1OwnerReference) => {
    try {
      await write(workload, owner)
    } catch (error) {
      dueAt.set(workload.id, now() + RETRY_MS)
      logger.warn({ error, workload: workload.id }, 'credentials could not be renewed')
    }
  }

  return {
    write,
    async tick(running) {
      const all = [...running]
      dueAt = new Map(all.map(([{ id }]) => [id, dueAt.get(id) ?? 0]))
      const due = all.filter(([{ id }]) => (dueAt.get(id) ?? 0) <= now())
      await Promise.all(due.slice(0, RENEWED_PER_TICK).map(async (one) => renew(...one)))
    },
  }
}
