/** The verbs of the engine on objects of its namespace. It never reads a Secret: no right to do so is asked for. */
import type { V1ObjectMeta } from '@kubernetes/client-node'
import { parseJson } from '@kre/contracts'
import { FIELD_MANAGER, LABEL } from '../manifests/identity.ts'
import { type ClusterObject, type Kind, type ObjectRef, pathOf, refOf } from './kinds.ts'
import type { Answer, Cluster } from './open-cluster.ts'
import { type Attempt, toClusterError } from './to-cluster-error.ts'

export type ClusterObjects = {
  readonly namespace: string
  /** Server-side apply: fields that we do not name are left to others. @returns the object as it is now. */
  apply<T extends ClusterObject>(object: T): Promise<T>
  /** A change of single fields. @returns null when the object is gone, or changed since `resourceVersion`. */
  change(ref: ObjectRef, fields: object): Promise<ClusterObject | null>
  /** Null = there is none. */
  read(ref: ObjectRef): Promise<ClusterObject | null>
  /** Whether somebody else has an object of the name. Needs no right to read it. @throws KreError where nobody can tell. */
  isForeign(ref: ObjectRef, installation: string): Promise<boolean>
  /** Writes down what happened to an object, where people look for that: among the cluster's Events. */
  record(event: object): Promise<void>
  /** Whether the namespace has an object of the kind with these labels, asked of the cluster itself. */
  hasAny(kind: Kind, selector: string): Promise<boolean>
  /** @param only removed only if it is still that object, in that version. @returns whether it was removed. */
  remove(ref: ObjectRef, only?: { uid?: string; resourceVersion?: string }): Promise<boolean>
}

const APPLY = 'application/apply-patch+yaml'
const MERGE = 'application/merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'
/** Two who write at once: the server says so, and asks to do it again. */
const CONFLICT = 409
const CONFLICT_TRIES = 4

export function clusterObjects(
  cluster: Pick<Cluster, 'request'>,
  namespace: string,
  signal: AbortSignal,
): ClusterObjects {
  const parse = <T>(answer: Answer, attempt: Attempt): T => {
    if (answer.status >= 300) throw toClusterError(answer.status, answer.body, attempt)
    return JSON.parse(answer.body) as T
  }
  const patch = async (
    { kind, name }: ObjectRef,
    query: string,
    contentType: string,
    body: unknown,
  ): Promise<Answer> => {
    const path = `${pathOf(kind, namespace, name)}?fieldManager=${FIELD_MANAGER}${query}`
    return cluster.request({ method: 'PATCH', path, contentType, body, signal })
  }
  return {
    namespace,
    async apply<T extends ClusterObject>(object: T) {
      const ref = refOf(object)
      for (let tries = 1; ; tries++) {
        // `force`: what we name is ours, whoever changed it by hand.
        // `Strict`: a field that the server does not know is an error, not nothing.
        const answer = await patch(ref, '&force=true&fieldValidation=Strict', APPLY, object)
        if (answer.status === CONFLICT && tries < CONFLICT_TRIES) continue
        return parse<T>(answer, { verb: 'patch', ...ref, namespace })
      }
    },
    async change(ref, fields) {
      const answer = await patch(ref, '', MERGE, fields)
      if (answer.status === 404 || answer.status === CONFLICT) return null
      return parse<ClusterObject>(answer, { verb: 'patch', ...ref, namespace })
    },
    async read({ kind, name }) {
      const path = pathOf(kind, namespace, name)
      const answer = await cluster.request({ method: 'GET', path, signal })
      if (answer.status === 404) return null
      return parse<ClusterObject>(answer, { verb: 'get', kind, name, namespace })
    },
    async isForeign(ref, installation) {
      // A patch that changes nothing, and is not carried out: it says whether the label is as it should be.
      const path = `/metadata/labels/${LABEL.installation.replaceAll('/', '~1')}`
      const question = [{ op: 'test', path, value: installation }]
      const answer = await patch(ref, '&dryRun=All', JSON_PATCH, question)
      if (answer.status === 404) return false
      if (answer.status === 422 && isFailedTest(answer.body)) return true
      parse(answer, { verb: 'patch', ...ref, namespace })
      return false
    },
    async record(event) {
      const path = pathOf('Event', namespace)
      const contentType = 'application/json'
      const answer = await cluster.request({
        method: 'POST',
        path,
        contentType,
        body: event,
        signal,
      })
      parse(answer, { verb: 'create', kind: 'Event', namespace })
    },
    async hasAny(kind, selector) {
      const query = new URLSearchParams({ labelSelector: selector, limit: '1' })
      const path = `${pathOf(kind, namespace)}?${query}`
      const answer = await cluster.request({ method: 'GET', path, signal })
      return parse<{ items: unknown[] }>(answer, { verb: 'list', kind, namespace }).items.length > 0
    },
    async remove({ kind, name }, only = {}) {
      const answer = await cluster.request({
        method: 'DELETE',
        path: pathOf(kind, namespace, name),
        contentType: 'application/json',
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: 'Background',
          ...(Object.keys(only).length === 0 ? {} : { preconditions: only }),
        },
        signal,
      })
      if (answer.status === 404 || answer.status === CONFLICT) return false
      parse(answer, { verb: 'delete', kind, name, namespace })
      return true
    },
  }
}

/**
 * Whether a refusal means that the label is another one. A policy of the cluster that refuses every change has the same
 * status, and so has an object that is not valid any more; but both say of which object.
 */
function isFailedTest(body: string): boolean {
  const status = parseJson(body) as
    | { kind?: unknown; details?: { name?: unknown } }
    | null
    | undefined
  return status?.kind === 'Status' && status.details?.name === undefined
}

export type ListedObjects = { items: ClusterObject[]; resourceVersion: string }

/** Objects a page has at most; the server answers the rest with a token to go on with. */
const PAGE = 500

/** @throws KreError `aborted` with status 410 when the list grew too old while it was read. */
export async function listObjects(
  cluster: Pick<Cluster, 'request'>,
  kind: Kind,
  namespace: string,
  selector: string,
  signal: AbortSignal,
): Promise<ListedObjects> {
  const items: ClusterObject[] = []
  let next = ''
  for (;;) {
    const query = new URLSearchParams({ labelSelector: selector, limit: String(PAGE) })
    if (next !== '') query.set('continue', next)
    const path = `${pathOf(kind, namespace)}?${query}`
    const { status, body } = await cluster.request({ method: 'GET', path, signal })
    if (status !== 200) throw toClusterError(status, body, { verb: 'list', kind, namespace })
    const page = JSON.parse(body) as {
      items: ClusterObject[]
      metadata: V1ObjectMeta & { continue?: string }
    }
    items.push(...page.items)
    next = page.metadata.continue ?? ''
    if (next === '') return { items, resourceVersion: page.metadata.resourceVersion ?? '' }
  }
}
