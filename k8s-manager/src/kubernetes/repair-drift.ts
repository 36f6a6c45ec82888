/** Brings objects back that somebody has changed or removed by hand, and says so. */
import { objectName } from '@kre/contracts'
import type { V1Deployment, V1OwnerReference } from '@kubernetes/client-node'
import type { Logger } from '@kre/service-kit'
import type { ClusterObject } from './cluster/kinds.ts'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import type { Fleet } from './fleet.ts'
import { driftEvent } from './manifests/drift-event.ts'
import { isMadeWith } from './manifests/deployment.ts'
import { groupObjects, ownerReference } from './manifests/group-objects.ts'
import { lostFields } from './observe/lost-fields.ts'
import { isBeingRemoved, workloadIn } from './observe/observe-workload.ts'
import { renderRunning } from './render-running.ts'
import type { KubernetesSettings } from './settings.ts'

export type DriftDeps = {
  objects: ClusterObjects
  fleet: Fleet
  settings: KubernetesSettings
  logger: Logger
  /** Unix ms. */
  now: () => number
}

export type DriftRepair = {
  /** Looks at all objects of a group; the caller holds its lock. */
  repair(group: string): Promise<void>
  /** Groups with something that was repaired just before, and has to wait. */
  waiting(): readonly string[]
}

/** Who changes the same object again and again, a program most likely, is answered later and later. */
const AGAIN_MS = 5_000
const AGAIN_MS_MAX = 600_000

/** Lists that stay the very same as long as nothing in them changes. */
type Compared = readonly [deployments: readonly V1Deployment[], ...Surroundings]
type Surroundings = readonly [parts: readonly ClusterObject[], ownerUid: string | undefined]

export function createDriftRepair(deps: DriftDeps): DriftRepair {
  const { objects, fleet, settings, logger, now } = deps
  /** By kind and name: when it was repaired, and how long until it may be again. */
  const repaired = new Map<string, { at: number; pauseMs: number }>()
  const waiting = new Set<string>()
  /** By group: what was as it should be when it was looked at last. */
  const sound = new Map<string, Compared>()
  /** Of a group in which something has changed, the rest is not rendered and compared again: most have many workloads. */
  const soundDeployments = new WeakMap<V1Deployment, Surroundings>()
  const soundParts = new WeakMap<readonly ClusterObject[], string>()

  const mayRepair = (key: string): boolean => {
    const before = repaired.get(key)
    if (before !== undefined && now() - before.at < before.pauseMs) return false
    const isCalm = before === undefined || now() - before.at > AGAIN_MS_MAX
    const pauseMs = isCalm ? AGAIN_MS : Math.min(AGAIN_MS_MAX, before.pauseMs * 2)
    repaired.set(key, { at: now(), pauseMs })
    return true
  }

  const repairOne = async <T extends ClusterObject>(
    group: string,
    wanted: T,
    lost: readonly string[],
  ) => {
    const { kind = '', metadata } = wanted
    const name = metadata?.name ?? ''
    if (lost.length === 0) return
    sound.delete(group)
    if (!mayRepair(`${kind}/${name}`)) {
      waiting.add(group)
      return
    }
    const after = await objects.apply(wanted)
    if (kind === 'Deployment') fleet.deployments.put(after as V1Deployment)
    else if (kind === 'Service') fleet.services.put(after)
    else fleet.policies.put(after)
    logger.warn(
      { kind, name, fields: lost },
      'an object was changed by hand: it is as it was again',
    )
    // The repair counts, not its record.
    await objects
      .record(driftEvent(after, lost, new Date(now())))
      .catch((error: unknown) => logger.warn({ error, kind, name }, 'no Event could be written'))
  }

  const policyOf = (name = '') => fleet.policies.get(name)

  const repairAll = async (group: string, [deployments, parts, uid = '']: Compared) => {
    const running = deployments.filter((one) => !isBeingRemoved(one))
    const first = running.map(workloadIn).find((one) => one !== null)
    if (uid === '' || first === undefined) return
    // Made by an engine with other settings, it is as that one wanted it, until it is applied again.
    const comparable = running.filter((one) => isMadeWith(settings, one))
    const owner = ownerReference(first, uid)
    for (const one of comparable) {
      const [knownParts, knownUid] = soundDeployments.get(one) ?? []
      if (knownParts === parts && knownUid === uid) continue
      if (await repairWorkload(group, one, owner)) soundDeployments.set(one, [parts, uid])
    }
    if (comparable.length === 0 || soundParts.get(parts) === uid) return
    let isSound = true
    for (const object of groupObjects(first, settings, owner)) {
      if (object.kind !== 'NetworkPolicy') continue
      const lost = lostOf(object, policyOf(object.metadata?.name))
      if (lost.length > 0) isSound = false
      await repairOne(group, object, lost)
    }
    if (isSound) soundParts.set(parts, uid)
  }

  return {
    waiting: () => [...waiting],
    async repair(group) {
      waiting.delete(group)
      const uid = fleet.owners.get(group)?.metadata?.uid
      const seen: Compared = [fleet.deploymentsOf(group), fleet.partsOf(group), uid]
      // Most of what happens to a group happens to its pods.
      if (sound.get(group)?.every((one, index) => one === seen[index]) === true) return
      if (seen[0].length === 0) sound.delete(group)
      else sound.set(group, seen)
      try {
        await repairAll(group, seen)
      } catch (error) {
        sound.delete(group)
        throw error
      }
    },
  }

  /** @returns whether all was as it should be. */
  async function repairWorkload(
    group: string,
    live: V1Deployment,
    owner: V1OwnerReference,
  ): Promise<boolean> {
    const workload = workloadIn(live)
    if (workload === null || objectName(workload.id) !== live.metadata?.name) return true
    const { deployment, service } = renderRunning(live, workload, settings, owner)
    const lost = lostOf(deployment, live)
    await repairOne(group, deployment, lost)
    if (service === null) return lost.length === 0
    const lostOfService = lostOf(service, fleet.services.get(service.metadata?.name ?? ''))
    await repairOne(group, service, lostOfService)
    return lost.length + lostOfService.length === 0
  }
}

/** @returns `all` for an object that is gone. */
function lostOf(rendered: object, live: ClusterObject | undefined): string[] {
  return live === undefined ? ['all'] : lostFields(rendered, live.metadata?.managedFields)
}
