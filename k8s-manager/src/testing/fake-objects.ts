/** Objects of a cluster in memory: versions, events, owners that take with them what they own. */
import { randomUUID } from 'node:crypto'

export type FakeMeta = {
  name: string
  uid: string
  resourceVersion: string
  generation: number
  creationTimestamp: string
  deletionTimestamp?: string
  labels: Record<string, string>
  annotations: Record<string, string>
  ownerReferences: { uid: string }[]
  managedFields?: { manager: string; operation: string; fieldsV1: object }[]
}
export type FakeObject = {
  kind: string
  metadata: FakeMeta
  spec?: {
    replicas?: number
    template?: { metadata: Pick<FakeMeta, 'labels' | 'annotations'> }
  }
  status?: object
}

export type FakeObjects = {
  /** By `<plural>/<name>`. */
  readonly all: ReadonlyMap<string, FakeObject>
  version(): string
  put(key: string, object: FakeObject): void
  drop(key: string): void
  /** Events of the kind after a version, and from now on, as lines of a watch. */
  follow(
    plural: string,
    selector: string,
    fromVersion: number,
    signal: AbortSignal,
  ): AsyncIterable<string>
}

type Event = { version: number; key: string; line: string; labels: Record<string, string> }

/** @param onChange called after each event. */
export function createFakeObjects(onChange: () => void): FakeObjects {
  const all = new Map<string, FakeObject>()
  const watchers = new Set<(event: Event) => void>()
  const history: Event[] = []
  let version = 0
  const tell = (type: string, key: string, object: FakeObject) => {
    object.metadata.resourceVersion = String(++version)
    const line = JSON.stringify({ type, object })
    const event = { version, key, line, labels: object.metadata.labels }
    history.push(event)
    for (const watcher of watchers) watcher(event)
    setImmediate(onChange)
  }
  const drop = (key: string) => {
    const object = all.get(key)
    if (object === undefined) return
    all.delete(key)
    tell('DELETED', key, object)
    for (const [other, { metadata }] of all) if (isOwned(metadata, object.metadata.uid)) drop(other)
  }
  return {
    all,
    drop,
    version: () => String(version),
    put(key, object) {
      const type = all.has(key) ? 'MODIFIED' : 'ADDED'
      all.set(key, object)
      tell(type, key, object)
    },
    follow(plural, selector, fromVersion, signal) {
      const lines = createQueue(signal)
      const take = ({ key, line, labels }: Event) => {
        if (key.startsWith(`${plural}/`) && matches(labels, selector)) lines.push(line)
      }
      for (const event of history) if (event.version > fromVersion) take(event)
      watchers.add(take)
      signal.addEventListener('abort', () => watchers.delete(take), { once: true })
      return lines.read()
    },
  }
}

export function newMeta(name: string, own: Partial<FakeMeta> = {}): FakeMeta {
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

export function isOwned({ ownerReferences }: FakeMeta, uid: string): boolean {
  return ownerReferences.some((owner) => owner.uid === uid)
}

/** @param selector `label=value`; empty = everything. */
export function matches(labels: Readonly<Record<string, string>>, selector: string): boolean {
  const [key = '', value] = selector.split('=')
  return selector === '' || labels[key] === value
}

/** What is pushed before somebody reads is kept. */
function createQueue(signal: AbortSignal) {
  const lines: string[] = []
  let wake = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => wake.resolve(), { once: true })
  return {
    push(line: string) {
      lines.push(line)
      wake.resolve()
    },
    async *read(): AsyncGenerator<string> {
      while (!signal.aborted) {
        yield* lines.splice(0)
        await wake.promise
        wake = Promise.withResolvers<void>()
      }
    },
  }
}
