/**
 * A cluster in memory, with as much of Kubernetes as the target sees: applies and patches, lists and watches, owners, and
 * Deployments whose pods become ready. It believes what its author believes; `./krectl.sh test --cluster` asks a real one.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Cluster, Request } from '../kubernetes/cluster/open-cluster.ts'

type Meta = {
  name: string
  uid: string
  resourceVersion: string
  generation: number
  creationTimestamp: string
  deletionTimestamp?: string
  labels: Record<string, string>
  annotations: Record<string, string>
  ownerReferences: { uid: string }[]
}
type Stored = { kind: string; metadata: Meta; spec?: Spec; status?: object }
type Spec = { replicas?: number; template?: { metadata: Pick<Meta, 'labels' | 'annotations'> } }
type Patch = {
  kind?: string
  metadata?: Partial<Meta> & { annotations?: Record<string, string | null> }
  spec?: Spec
}
type Event = { plural: string; line: string; labels: Record<string, string> }

export type FakeCluster = Cluster & {
  /** Ends a pod at once, as a machine that is gone. */
  kill(uid: string): void
  /** Names of all objects, with their kind. */
  names(): string[]
  /** Answers for a method and the start of a path, in place of the cluster's own; null = its own again. */
  refuse(method: string, path: string, answer: Answer | null): void
  /** Of pods that are not ready at once, from now on. */
  podStatus: (labels: Record<string, string>) => object
}

const DRAIN_MS = 30
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

export function createFakeCluster(): FakeCluster {
  const objects = new Map<string, Stored>()
  const watchers = new Set<(event: Event) => void>()
  const refusals = new Map<string, Answer>()
  /** Annotations of the last apply: those that the next one leaves out are removed, all others stay. */
  const applied = new Map<string, Set<string>>()
  let version = 0

  const put = (key: string, object: Stored, type: 'ADDED' | 'MODIFIED') => {
    object.metadata.resourceVersion = String(++version)
    objects.set(key, object)
    tell(key, object, type)
  }
  const drop = (key: string) => {
    const object = objects.get(key)
    if (object === undefined) return
    objects.delete(key)
    object.metadata.resourceVersion = String(++version)
    tell(key, object, 'DELETED')
    for (const [other, { metadata }] of objects)
      if (metadata.ownerReferences.some(({ uid }) => uid === object.metadata.uid)) drop(other)
  }
  const tell = (key: string, object: Stored, type: string) => {
    const line = JSON.stringify({ type, object })
    const event = { plural: key.split('/')[0] ?? '', line, labels: object.metadata.labels }
    for (const watcher of watchers) watcher(event)
    if (!key.startsWith('pods/')) return void setImmediate(control)
    setImmediate(control)
  }

  /** What controllers, scheduler and kubelets do together: one step towards what Deployments want. */
  const control = () => {
    for (const [key, one] of objects)
      if (key.startsWith('deployments/')) controlDeployment(key, one)
  }
  const controlDeployment = (key: string, deployment: Stored) => {
    const { uid, generation } = deployment.metadata
    const wanted = deployment.spec?.replicas ?? 1
    const hash = JSON.stringify(deployment.spec?.template)
    const own = [...objects].filter(([, { metadata }]) =>
      metadata.ownerReferences.some((owner) => owner.uid === uid),
    )
    const living = own.filter(([, { metadata }]) => metadata.deletionTimestamp === undefined)
    const current = living.filter(([, { metadata }]) => metadata.annotations['fake/hash'] === hash)
    const old = living.filter(([, { metadata }]) => metadata.annotations['fake/hash'] !== hash)
    const isReady = ([, { status }]: [string, Stored]) => status === READY
    if (current.length < wanted) addPod(deployment, hash)
    else if (current.length > wanted) endPod(current.at(-1)?.[0] ?? '')
    else if (old.length > 0 && current.every(isReady)) endPod(old[0]?.[0] ?? '')
    const status = {
      observedGeneration: generation,
      replicas: living.length,
      updatedReplicas: current.length,
    }
    if (JSON.stringify(deployment.status) === JSON.stringify(status)) return
    put(key, { ...deployment, status }, 'MODIFIED')
  }
  const addPod = ({ spec, metadata }: Stored, hash: string) => {
    const { labels, annotations } = spec?.template?.metadata ?? { labels: {}, annotations: {} }
    const name = `${metadata.name}-${randomUUID().slice(0, 5)}`
    const own = { ...annotations, 'fake/hash': hash }
    const pod: Stored = {
      kind: 'Pod',
      metadata: newMeta(name, {
        labels,
        annotations: own,
        ownerReferences: [{ uid: metadata.uid }],
      }),
    }
    const key = `pods/${name}`
    put(key, pod, 'ADDED')
    setImmediate(() => {
      const found = objects.get(key)
      if (found !== undefined) put(key, { ...found, status: fake.podStatus(labels) }, 'MODIFIED')
    })
  }
  const endPod = (key: string) => {
    const pod = objects.get(key)
    if (pod === undefined) return
    put(
      key,
      { ...pod, metadata: { ...pod.metadata, deletionTimestamp: new Date().toISOString() } },
      'MODIFIED',
    )
    void sleep(DRAIN_MS).then(() => drop(key))
  }

  const patch = (key: string, { contentType, body }: Request): Answer => {
    const before = objects.get(key)
    const isApply = contentType?.startsWith('application/apply-patch') === true
    if (before === undefined && !isApply) return refusal(404, 'not found')
    const { metadata = {}, spec, ...rest } = body as Patch
    const { resourceVersion } = metadata
    if (resourceVersion !== undefined && resourceVersion !== before?.metadata.resourceVersion)
      return refusal(409, 'the object has been modified')
    const name = key.split('/')[1] ?? ''
    const meta = before?.metadata ?? newMeta(name, {})
    const annotations = new Map(Object.entries(meta.annotations))
    if (isApply) {
      for (const gone of applied.get(key) ?? []) annotations.delete(gone)
      applied.set(key, new Set(Object.keys(metadata.annotations ?? {})))
    }
    for (const [field, value] of Object.entries(metadata.annotations ?? {}))
      if (value === null) annotations.delete(field)
      else annotations.set(field, value)
    const nextSpec = isApply
      ? spec
      : spec === undefined
        ? before?.spec
        : { ...before?.spec, ...spec }
    const isChanged = JSON.stringify(nextSpec) !== JSON.stringify(before?.spec)
    const next = {
      ...before,
      ...rest,
      kind: rest.kind ?? before?.kind ?? '',
      metadata: {
        ...meta,
        labels: metadata.labels ?? meta.labels,
        ownerReferences: metadata.ownerReferences ?? meta.ownerReferences,
        annotations: Object.fromEntries(annotations),
        generation: meta.generation + (isChanged && before !== undefined ? 1 : 0),
      },
      ...(nextSpec === undefined ? {} : { spec: nextSpec }),
    }
    if (JSON.stringify(next) !== JSON.stringify(before))
      put(key, next, before === undefined ? 'ADDED' : 'MODIFIED')
    return { status: 200, body: JSON.stringify(objects.get(key)) }
  }
  const remove = (key: string, { body }: Request): Answer => {
    const found = objects.get(key)
    if (found === undefined) return refusal(404, 'not found')
    const { preconditions = {} } = body as {
      preconditions?: { uid?: string; resourceVersion?: string }
    }
    const { uid, resourceVersion } = found.metadata
    if (
      (preconditions.uid ?? uid) !== uid ||
      (preconditions.resourceVersion ?? resourceVersion) !== resourceVersion
    )
      return refusal(409, 'precondition failed')
    drop(key)
    return { status: 200, body: '{}' }
  }
  const list = (plural: string, selector: string): Answer => {
    const items = [...objects]
      .filter(
        ([key, { metadata }]) => key.startsWith(`${plural}/`) && matches(metadata.labels, selector),
      )
      .map(([, object]) => object)
    return {
      status: 200,
      body: JSON.stringify({ metadata: { resourceVersion: String(version) }, items }),
    }
  }

  const fake: FakeCluster = {
    server: 'memory:',
    podStatus: () => READY,
    async request(request) {
      const url = new URL(request.path, 'http://fake')
      for (const [start, answer] of refusals)
        if (`${request.method} ${url.pathname}`.startsWith(start)) return answer
      if (url.pathname === '/version') return { status: 200, body: '{"gitVersion":"v0.0.0-fake"}' }
      const [plural = '', name] = url.pathname.split('/namespaces/')[1]?.split('/').slice(1) ?? []
      if (name === undefined) return list(plural, url.searchParams.get('labelSelector') ?? '')
      const key = `${plural}/${name}`
      if (request.method === 'PATCH') return patch(key, request)
      if (request.method === 'DELETE') return remove(key, request)
      const found = objects.get(key)
      return found === undefined
        ? refusal(404, 'not found')
        : { status: 200, body: JSON.stringify(found) }
    },
    async stream(path, signal) {
      const url = new URL(path, 'http://fake')
      const plural = url.pathname.split('/').at(-1) ?? ''
      const selector = url.searchParams.get('labelSelector') ?? ''
      return follow(
        watchers,
        ({ plural: of, labels }) => of === plural && matches(labels, selector),
        signal,
      )
    },
    kill(uid) {
      for (const [key, { metadata }] of objects) if (metadata.uid === uid) drop(key)
    },
    names: () => [...objects].map(([key]) => key).toSorted(),
    refuse(method, path, answer) {
      if (answer === null) refusals.delete(`${method} ${path}`)
      else refusals.set(`${method} ${path}`, answer)
    },
    [Symbol.dispose]: () => objects.clear(),
  }
  return fake
}

/** Begins to listen at once, so that nothing between a list and the first read is missed. */
function follow(
  watchers: Set<(event: Event) => void>,
  isWanted: (event: Event) => boolean,
  signal: AbortSignal,
): AsyncIterable<string> {
  const lines: string[] = []
  let wake = Promise.withResolvers<void>()
  const watcher = (event: Event) => {
    if (!isWanted(event)) return
    lines.push(event.line)
    wake.resolve()
  }
  watchers.add(watcher)
  signal.addEventListener('abort', () => wake.resolve(), { once: true })
  return (async function* () {
    while (!signal.aborted) {
      yield* lines.splice(0)
      await wake.promise
      wake = Promise.withResolvers<void>()
    }
    watchers.delete(watcher)
  })()
}

function newMeta(name: string, own: Partial<Meta>): Meta {
  return {
    name,
    uid: randomUUID(),
    resourceVersion: '0',
    generation: 1,
    creationTimestamp: new Date().toISOString(),
    labels: {},
    annotations: {},
    ownerReferences: [],
    ...own,
  }
}

function matches(labels: Record<string, string>, selector: string): boolean {
  const [key = '', value] = selector.split('=')
  return selector === '' || labels[key] === value
}

function refusal(status: number, message: string): Answer {
  return { status, body: JSON.stringify({ kind: 'Status', message }) }
}
