/** After an upgrade, brings workloads that run to the settings and images of this engine: few at a time, and no further when one does not come up. */
import { toKreError } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { V1Deployment } from '@kubernetes/client-node'
import { applyObjects } from './apply-workload.ts'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import { type Fleet, labelOf } from './fleet.ts'
import type { KeyLocks } from './key-locks.ts'
import { isMadeWith } from './manifests/deployment.ts'
import { groupObjects, ownerReference } from './manifests/group-objects.ts'
import { ANNOTATION, LABEL } from './manifests/identity.ts'
import { isSound } from './observe/is-sound.ts'
import { nextRolls, type RollFacts } from './observe/next-rolls.ts'
import { isBeingRemoved, workloadIn } from './observe/observe-workload.ts'
import { removeRoute } from './remove-route.ts'
import { renderRunning } from './render-running.ts'
import type { KubernetesSettings } from './settings.ts'

export type RollDeps = {
  objects: ClusterObjects
  fleet: Fleet
  settings: KubernetesSettings
  locks: KeyLocks
  logger: Logger
  signal: AbortSignal
}

export type Roller = {
  /** Call it every second or so. */
  tick(): void
  /** Resolves when nothing is being written. */
  whenIdle(): Promise<void>
}

/** What failed is tried again after so many ticks. */
const RETRY_TICKS = 10

export function createRoller(deps: RollDeps): Roller {
  const { fleet, settings, locks, logger, signal } = deps
  let underWay: Promise<void> | null = null
  let told = ''
  let pauseTicks = 0

  const step = async () => {
    const plan = nextRolls(factsOf(fleet, settings), settings.rollAtOnce)
    for (const name of plan.done) await finish(deps, name)
    for (const name of plan.roll) {
      const group = labelOf(fleet.deployments.get(name) ?? null, LABEL.group)
      await locks.run(group, async () => rollOne(deps, name))
    }
    const waitsFor = plan.underWay.join(', ')
    if (waitsFor !== '' && waitsFor !== told)
      logger.info({ waitsFor }, 'other workloads are rolled when this one is ready')
    told = waitsFor
  }
  return {
    tick() {
      if (underWay !== null || signal.aborted || --pauseTicks > 0) return
      underWay = step()
        .catch((error: unknown) => {
          if (signal.aborted) return
          pauseTicks = RETRY_TICKS
          logger.warn(
            { reason: toKreError(error).message },
            'a workload could not be rolled; it is tried again',
          )
        })
        .finally(() => (underWay = null))
    },
    async whenIdle() {
      await underWay
    },
  }
}

/** Of those that are, or were, made with other settings: that is, of none most of the time. */
function factsOf(fleet: Fleet, settings: KubernetesSettings): RollFacts[] {
  return [...fleet.deployments.values()].flatMap((one) => {
    const name = one.metadata?.name ?? ''
    const [isFormer, isRolling] = [!isMadeWith(settings, one), isMarkedAsRolling(one)]
    if ((!isFormer && !isRolling) || isBeingRemoved(one) || workloadIn(one) === null) return []
    const role = labelOf(one, LABEL.role) === 'entrypoint' ? 'entrypoint' : 'node'
    const group = labelOf(one, LABEL.group)
    return [{ name, group, role, isFormer, isRolling, isSound: isSound(one, fleet.podsOf(name)) }]
  })
}

async function rollOne(
  { objects, fleet, settings, logger }: RollDeps,
  name: string,
): Promise<void> {
  // While the lock was waited for, the converger may have applied or removed it.
  const live = fleet.deployments.get(name)
  const workload = live === undefined || isBeingRemoved(live) ? null : workloadIn(live)
  const uid = fleet.owners.get(labelOf(live ?? null, LABEL.group))?.metadata?.uid
  if (live === undefined || workload === null || uid === undefined) return
  if (isMadeWith(settings, live)) return
  const owner = ownerReference(workload, uid)
  for (const object of groupObjects(workload, settings, owner)) {
    const after = await objects.apply(object)
    if (object.kind === 'NetworkPolicy') fleet.policies.put(after)
  }
  const rendered = renderRunning(live, workload, settings, owner)
  // The next engine, too, waits until it works.
  if (isMarkedAsRolling(live) || isSound(live, fleet.podsOf(name)))
    markAsRolling(rendered.deployment)
  const after = await applyObjects({ objects, fleet }, rendered, live)
  await removeRoute(objects, live, after)
  logger.info({ workload: workload.id }, 'a workload is rolled to the settings of this engine')
}

function markAsRolling({ metadata = {} }: V1Deployment): void {
  metadata.annotations = { ...metadata.annotations, [ANNOTATION.rolling]: 'true' }
}

function isMarkedAsRolling({ metadata }: V1Deployment): boolean {
  return metadata?.annotations?.[ANNOTATION.rolling] !== undefined
}

async function finish({ objects, fleet }: RollDeps, name: string): Promise<void> {
  const changed = await objects.change(
    { kind: 'Deployment', name },
    { metadata: { annotations: { [ANNOTATION.rolling]: null } } },
  )
  if (changed !== null) fleet.deployments.put(changed)
}
