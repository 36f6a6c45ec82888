/** What controllers, scheduler and kubelets do together in a cluster in memory: pods follow their Deployments. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FakeObject, type FakeObjects, isOwned, newMeta } from './fake-objects.ts'

/** A process that drains. */
const DRAIN_MS = 30
const HASH = 'fake/hash'
const READY = {
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True' }],
  containerStatuses: [
    {
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
    },
  ],
}

/** One step of every Deployment towards what it wants. */
export function controlDeployments(objects: FakeObjects): void {
  for (const [key, one] of objects.all)
    if (key.startsWith('deployments/')) controlDeployment(objects, key, one)
}

function controlDeployment(objects: FakeObjects, key: string, deployment: FakeObject): void {
  const { uid, generation } = deployment.metadata
  const wanted = deployment.spec?.replicas ?? 1
  const hash = JSON.stringify(deployment.spec?.template)
  const living = [...objects.all].filter(
    ([, { metadata }]) => isOwned(metadata, uid) && metadata.deletionTimestamp === undefined,
  )
  const current = living.filter(([, { metadata }]) => metadata.annotations[HASH] === hash)
  const old = living.filter(([, { metadata }]) => metadata.annotations[HASH] !== hash)
  if (current.length < wanted) addPod(objects, deployment, hash)
  else if (current.length > wanted) endPod(objects, current.at(-1)?.[0] ?? '')
  else if (old.length > 0 && current.every(([, { status }]) => status === READY))
    endPod(objects, old[0]?.[0] ?? '')
  const status = {
    observedGeneration: generation,
    replicas: living.length,
    updatedReplicas: current.length,
  }
  if (JSON.stringify(deployment.status) !== JSON.stringify(status))
    objects.put(key, { ...deployment, status })
}

function addPod(objects: FakeObjects, { spec, metadata }: FakeObject, hash: string): void {
  const { labels, annotations } = spec?.template?.metadata ?? { labels: {}, annotations: {} }
  const name = `${metadata.name}-${randomUUID().slice(0, 5)}`
  const own = { labels, annotations: { ...annotations, [HASH]: hash } }
  const key = `pods/${name}`
  objects.put(key, {
    kind: 'Pod',
    metadata: newMeta(name, { ...own, ownerReferences: [{ uid: metadata.uid }] }),
  })
  setImmediate(() => {
    const pod = objects.all.get(key)
    if (pod !== undefined) objects.put(key, { ...pod, status: READY })
  })
}

function endPod(objects: FakeObjects, key: string): void {
  const pod = objects.all.get(key)
  if (pod === undefined) return
  const deletionTimestamp = new Date().toISOString()
  objects.put(key, { ...pod, metadata: { ...pod.metadata, deletionTimestamp } })
  void sleep(DRAIN_MS).then(() => objects.drop(key))
}
