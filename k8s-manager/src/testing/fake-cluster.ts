/**
 * A cluster in memory, with as much of Kubernetes as the target sees: applies and patches, lists and watches, owners, and
 * Deployments whose pods become ready. It believes what its author believes; `./krectl.sh test --cluster` asks a real one.
 */
import { KreError } from '@kre/contracts'
import type { Answer, Cluster, Request } from '../kubernetes/cluster/open-cluster.ts'
import { controlDeployments } from './fake-controllers.ts'
import {
  createFakeObjects,
  type FakeMeta,
  type FakeObject,
  type FakeObjects,
  matches,
  newMeta,
} from './fake-objects.ts'
import { fieldsOf, withField, withoutField } from './managed-fields.ts'

export type FakeCluster = Cluster & {
  /** Ends a pod at once, as a machine that is gone. */
  kill(uid: string): void
  /** `<plural>/<name>` of all objects. */
  names(): string[]
  get(key: string): FakeObject | undefined
  /** As somebody else does it. */
  make(key: string, object: Pick<FakeObject, 'kind'> & Partial<FakeObject>): void
  edit(key: string, path: string, value: unknown): void
  remove(key: string): void
  /** Answers for a method and the start of a path, in place of the cluster's own; null = its own again. */
  refuse(method: string, path: string, answer: Answer | null): void
  /** No request gets an answer, and no watch any news, until it is back. */
  away(isAway: boolean): void
  /** All requests so far, `<method> <path>`; those that are not carried out are not among them. */
  readonly requests: readonly string[]
  /** Events that were written. */
  readonly events: readonly object[]
}

export function createFakeCluster(): FakeCluster {
  const objects = createFakeObjects(() => controlDeployments(objects))
  const refusals = new Map<string, Answer>()
  const requests: string[] = []
  const events: object[] = []
  const streams = new Set<AbortController>()
  const patcher = createPatcher(objects)
  let isAway = false
  const assertThere = () => {
    if (isAway) throw new KreError('unavailable', "the cluster at memory: can't be reached")
  }
  const answer = (request: Request): Answer => {
    const { pathname, searchParams } = new URL(request.path, 'http://fake')
    for (const [start, refusal] of searchParams.has('dryRun') ? [] : refusals)
      if (`${request.method} ${pathname}`.startsWith(start)) return refusal
    if (pathname === '/version') return ok({ gitVersion: 'v0.0.0-fake' })
    const [plural = '', name] = pathname.split('/namespaces/')[1]?.split('/').slice(1) ?? []
    if (request.method === 'POST') {
      events.push(request.body as object)
      return ok(request.body)
    }
    if (name === undefined) return list(objects, plural, searchParams.get('labelSelector') ?? '')
    const key = `${plural}/${name}`
    if (request.method === 'PATCH') return patcher(key, request)
    if (request.method === 'DELETE') return remove(objects, key, request)
    const found = objects.all.get(key)
    return found === undefined ? NOT_FOUND : ok(found)
  }
  return {
    server: 'memory:',
    requests,
    events,
    async request(request) {
      assertThere()
      if (!request.path.includes('dryRun=All')) requests.push(`${request.method} ${request.path}`)
      return answer(request)
    },
    async stream(path, signal) {
      assertThere()
      const { pathname, searchParams } = new URL(path, 'http://fake')
      requests.push(`WATCH ${path}`)
      const refusal = refusals.get(`WATCH ${pathname}`)
      if (refusal !== undefined) return refusal
      const plural = pathname.split('/').at(-1) ?? ''
      const end = new AbortController()
      streams.add(end)
      const until = AbortSignal.any([signal, end.signal])
      const from = Number(searchParams.get('resourceVersion') ?? '0')
      return objects.follow(plural, searchParams.get('labelSelector') ?? '', from, until)
    },
    kill(uid) {
      for (const [key, { metadata }] of objects.all) if (metadata.uid === uid) objects.drop(key)
    },
    names: () => [...objects.all.keys()].toSorted(),
    get: (key) => objects.all.get(key),
    make: (key, object) =>
      objects.put(key, { metadata: newMeta(key.split('/')[1] ?? ''), ...object }),
    edit(key, path, value) {
      const before = objects.all.get(key)
      if (before !== undefined) objects.put(key, edited(before, path, value))
    },
    remove: (key) => objects.drop(key),
    refuse(method, path, refusal) {
      if (refusal === null) refusals.delete(`${method} ${path}`)
      else refusals.set(`${method} ${path}`, refusal)
    },
    away(value) {
      isAway = value
      if (value) for (const stream of streams) stream.abort()
      streams.clear()
    },
    [Symbol.dispose]() {
      for (const key of objects.all.keys()) objects.drop(key)
    },
  }
}

/** It is their field now. */
function edited(before: FakeObject, path: string, value: unknown): FakeObject {
  const { metadata } = before
  const changed = withField(before, path, value)
  const managedFields = (metadata.managedFields ?? []).map((entry) => ({
    ...entry,
    fieldsV1: withoutField(entry.fieldsV1, path),
  }))
  return {
    ...changed,
    metadata: { ...changed.metadata, managedFields, generation: metadata.generation + 1 },
  }
}

type Patch = Pick<Partial<FakeObject>, 'kind' | 'spec'> & {
  metadata?: Omit<Partial<FakeMeta>, 'annotations'> & {
    annotations?: Record<string, string | null>
  }
}

function createPatcher(objects: FakeObjects): (key: string, request: Request) => Answer {
  /** Annotations of the last apply: those that the next one leaves out are removed, all others stay. */
  const applied = new Map<string, readonly string[]>()
  return (key, { contentType = '', body }) => {
    const before = objects.all.get(key)
    if (contentType.startsWith('application/json-patch')) return testLabel(before, body)
    const isApply = contentType.startsWith('application/apply-patch')
    if (before === undefined && !isApply) return NOT_FOUND
    const patch = body as Patch
    const wanted = patch.metadata?.resourceVersion
    if (wanted !== undefined && wanted !== before?.metadata.resourceVersion)
      return refusal(409, 'the object has been modified')
    const next = patched(key, before, patch, isApply ? (applied.get(key) ?? []) : null)
    if (isApply) {
      applied.set(key, Object.keys(patch.metadata?.annotations ?? {}))
      const { labels } = patch.metadata ?? {}
      const fieldsV1 = fieldsOf({
        metadata: { labels: labels ?? {} },
        ...(patch.spec === undefined ? {} : { spec: patch.spec }),
      })
      next.metadata.managedFields = [{ manager: 'kre', operation: 'Apply', fieldsV1 }]
    }
    if (JSON.stringify(next) !== JSON.stringify(before)) objects.put(key, next)
    return ok(objects.all.get(key))
  }
}

/** Of a JSON patch the only operation that the target uses. */
function testLabel(before: FakeObject | undefined, body: unknown): Answer {
  if (before === undefined) return NOT_FOUND
  const [{ path, value }] = body as [{ path: string; value: string }]
  const label = path.replace('/metadata/labels/', '').replaceAll('~1', '/')
  return before.metadata.labels[label] === value
    ? ok(before)
    : refusal(422, `testing value ${path} failed`)
}

/** @param applied annotations of the last apply; null = this is no apply. */
function patched(
  key: string,
  before: FakeObject | undefined,
  { metadata = {}, spec, ...rest }: Patch,
  applied: readonly string[] | null,
): FakeObject {
  const meta = before?.metadata ?? newMeta(key.split('/')[1] ?? '')
  const annotations = new Map(Object.entries(meta.annotations))
  for (const name of applied ?? []) annotations.delete(name)
  for (const [name, value] of Object.entries(metadata.annotations ?? {}))
    if (value === null) annotations.delete(name)
    else annotations.set(name, value)
  const nextSpec =
    applied === null ? (spec === undefined ? before?.spec : { ...before?.spec, ...spec }) : spec
  const isChanged = before !== undefined && JSON.stringify(nextSpec) !== JSON.stringify(before.spec)
  return {
    ...before,
    ...rest,
    kind: rest.kind ?? before?.kind ?? '',
    metadata: {
      ...meta,
      labels: metadata.labels ?? meta.labels,
      ownerReferences: metadata.ownerReferences ?? meta.ownerReferences,
      annotations: Object.fromEntries(annotations),
      generation: meta.generation + (isChanged ? 1 : 0),
    },
    ...(nextSpec === undefined ? {} : { spec: nextSpec }),
  }
}

function remove(objects: FakeObjects, key: string, { body }: Request): Answer {
  const found = objects.all.get(key)
  if (found === undefined) return NOT_FOUND
  const { preconditions = {} } = body as { preconditions?: Partial<FakeMeta> }
  const { uid, resourceVersion } = found.metadata
  const isIt =
    (preconditions.uid ?? uid) === uid &&
    (preconditions.resourceVersion ?? resourceVersion) === resourceVersion
  if (!isIt) return refusal(409, 'precondition failed')
  objects.drop(key)
  return ok({})
}

function list(objects: FakeObjects, plural: string, selector: string): Answer {
  const items = [...objects.all]
    .filter(
      ([key, { metadata }]) => key.startsWith(`${plural}/`) && matches(metadata.labels, selector),
    )
    .map(([, object]) => object)
  return ok({ metadata: { resourceVersion: objects.version() }, items })
}

function ok(value: unknown): Answer {
  return { status: 200, body: JSON.stringify(value) }
}
function refusal(status: number, message: string): Answer {
  return { status, body: JSON.stringify({ kind: 'Status', message }) }
}
const NOT_FOUND = refusal(404, 'not found')
