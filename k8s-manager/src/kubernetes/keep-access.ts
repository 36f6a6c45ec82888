/**
 * What pods need of the engine: credentials of NATS, and their bundle where they get it from. Both are there before the
 * pods that use them; credentials are written again before they expire, as long as pods run. One Secret holds those of a
 * whole version, so that renewing them is one request.
 */
import type { NatsAccess, Workload } from '@kre/contracts'
import type { V1OwnerReference } from '@kubernetes/client-node'
import type { Logger } from '@kre/service-kit'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import { groupName } from './manifests/identity.ts'
import { accessSecret } from './manifests/secrets.ts'
import type { KubernetesSettings } from './settings.ts'

/** Renewed when so much of their life is over: the kubelet needs a minute to bring them to the pods. */
const RENEW_AT = 0.4
const RETRY_MS = 5_000
/** Made at once, and those of one version more; each costs a signature. */
const RENEWED_PER_TICK = 32

export type AccessDeps = {
  objects: ClusterObjects
  settings: KubernetesSettings
  runnerAccess: (workload: Workload) => NatsAccess | Promise<NatsAccess>
  /** Another text whenever processes need other certificates than before. Absent = they have none. */
  certificates?: () => string
  /** Puts a bundle where pods get it from, unless it is there. */
  provideBundle: (digest: string) => Promise<void>
  logger: Logger
  /** Unix ms. */
  now: () => number
}

/** All workloads of a version, or the published entrypoint of a runtime; never empty. */
export type AccessGroup = {
  readonly workloads: readonly Workload[]
  readonly owner: V1OwnerReference
}

export type KeptAccess = {
  /** @throws KreError what makes credentials, provides bundles or asks the cluster throws. */
  write(group: AccessGroup): Promise<void>
  /**
   * Call it every second or so with the names of all groups that run. Those that are new to it get credentials at once:
   * nobody knows how old theirs are.
   *
   * @param load the group as it is now, asked for when it is due; null = it is gone.
   */
  tick(names: Iterable<string>, load: (name: string) => AccessGroup | null): Promise<void>
}

export function createKeptAccess(deps: AccessDeps): KeptAccess {
  const { objects, settings, logger, now } = deps
  /** By group; `Infinity` = does not expire. */
  let dueAt = new Map<string, number>()
  let certificates = deps.certificates?.() ?? ''

  const accessOf = async (workload: Workload): Promise<readonly [Workload, NatsAccess]> => {
    const access = await deps.runnerAccess(workload)
    const { natsServers } = settings
    return [workload, natsServers.length === 0 ? access : { ...access, servers: [...natsServers] }]
  }
  /** @param isWhole whether credentials of other workloads, of which nobody knows any more, are to go. */
  const write = async ({ workloads, owner }: AccessGroup, isWhole: boolean) => {
    const [first] = workloads
    if (first === undefined) return
    const digests = new Set(workloads.flatMap(({ bundleDigest }) => bundleDigest ?? []))
    await Promise.all([...digests].map(async (digest) => deps.provideBundle(digest)))
    const access = await Promise.all(workloads.map(accessOf))
    const metadata = { namespace: settings.namespace, ownerReferences: [owner] }
    const secret = accessSecret(first, settings, metadata, access)
    const ref = { kind: 'Secret', name: secret.metadata?.name ?? '' } as const
    // Workloads that are just being applied are in the Secret, and not among those that run.
    const isChanged = !isWhole && (await objects.change(ref, { data: secret.data })) !== null
    if (!isChanged) await objects.apply(secret)
    const expiries = access.map(([, { credentials }]) => credentials?.expiresUnixMs ?? Infinity)
    dueAt.set(groupName(first), now() + (Math.min(...expiries) - now()) * RENEW_AT)
  }

  const renew = async (name: string, group: AccessGroup) => {
    try {
      await write(group, false)
    } catch (error) {
      dueAt.set(name, now() + RETRY_MS)
      logger.warn({ error, group: name }, 'credentials could not be renewed')
    }
  }

  return {
    write: async (group) => write(group, true),
    async tick(names, load) {
      const before = certificates
      certificates = deps.certificates?.() ?? ''
      // With other ones credentials go to everybody anew, as they travel together.
      if (before !== certificates) dueAt.clear()
      dueAt = new Map([...names].map((name) => [name, dueAt.get(name) ?? 0]))
      const due: [string, AccessGroup][] = []
      let count = 0
      for (const [name, at] of dueAt) {
        if (at > now() || count >= RENEWED_PER_TICK) continue
        const group = load(name)
        if (group === null) continue
        count += group.workloads.length
        due.push([name, group])
      }
      await Promise.all(due.map(async ([name, group]) => renew(name, group)))
    },
  }
}
