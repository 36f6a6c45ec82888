import { KreError } from '@kre/contracts'
import type { Collection, Filter } from 'mongodb'
import {
  REQUEST_STEPS_MAX,
  REQUESTS_KEPT_MAX,
  REQUESTS_LISTED_MAX,
  type KeptRequest,
  type RequestQuery,
  type RequestStep,
  type RequestStore,
} from '../ports/request-store.ts'
import type { DatabaseClaims } from './claim-databases.ts'
import { inTurn, turnOf } from './in-turn.ts'
import { insertMissing } from './insert-missing.ts'
import { firstOf, keyIs, takeNumbers, type Keyed, type MongoDatabases } from './mongo-databases.ts'
import { SEARCH_MS_MAX } from './outputs/find-documents.ts'

type Request = Omit<KeptRequest, 'steps'>
type RequestDocument = Keyed & Request & { seq: number; steps: RequestStep[]; revision: number }

/** Reports of one request come from a few nodes at once. */
const TRIES_MAX = 50

export function createMongoRequestStore(
  databases: MongoDatabases,
  claims: DatabaseClaims,
): RequestStore {
  const of = (runtimeId: string): Collection<RequestDocument> =>
    databases.runtime(runtimeId).collection('requests')
  return {
    async keep(requests) {
      for (const [runtimeId, own] of Map.groupBy(requests, (request) => request.runtimeId)) {
        await claims.take(runtimeId)
        const first = await takeNumbers(databases.runtime(runtimeId), 'requests', own.length)
        const documents = own.map((request, index) => ({
          ...request,
          _id: keyOf(request.version, request.id),
          seq: first + index,
          steps: [],
          revision: 0,
        }))
        await insertMissing(of(runtimeId), documents)
        const rings = new Map(own.map((one) => [`${one.kept}/${one.version}`, one]))
        for (const ring of rings.values()) await trimRing(of(runtimeId), ring)
      }
    },
    async addSteps(runtimeId, version, steps) {
      for (const [requestId, own] of Map.groupBy(steps, (one) => one.requestId))
        await addToRequest(
          of(runtimeId),
          keyOf(version, requestId),
          own.map(({ step }) => step),
        )
    },
    async list(query) {
      const found = of(query.runtimeId)
        .find(requestFilter(query), { maxTimeMS: SEARCH_MS_MAX, projection: { steps: 0 } })
        .sort({ startedAt: -1, seq: -1 })
      return (await firstOf(found, Math.min(query.limit, REQUESTS_LISTED_MAX))).map(toRequest)
    },
    async find(runtimeId, requestId) {
      const [found] = await of(runtimeId)
        .find({ id: { $eq: requestId } })
        .sort({ seq: -1 })
        .limit(1)
        .toArray()
      return found === undefined ? null : { ...toRequest(found), steps: found.steps }
    },
    async expire(olderThan) {
      let removed = 0
      for (const runtimeId of await claims.runtimeIds())
        removed += (await of(runtimeId).deleteMany({ startedAt: { $lt: olderThan } })).deletedCount
      return removed
    },
  }
}

/** Escaped, so that the slash ends the version whatever the request is called. */
function keyOf(version: string, requestId: string): string {
  return `${version.replaceAll('%', '%25').replaceAll('/', '%2F')}/${requestId}`
}

async function trimRing(
  requests: Collection<RequestDocument>,
  { version, kept }: Request,
): Promise<void> {
  const ring = { version: { $eq: version }, kept: { $eq: kept } }
  const [spare] = await requests
    .find(ring, { projection: { seq: 1 } })
    .sort({ seq: -1 })
    .skip(REQUESTS_KEPT_MAX[kept])
    .limit(1)
    .toArray()
  if (spare !== undefined) await requests.deleteMany({ ...ring, seq: { $lte: spare.seq } })
}

async function addToRequest(
  requests: Collection<RequestDocument>,
  key: string,
  steps: readonly RequestStep[],
): Promise<void> {
  return inTurn(turnOf(requests, key), async () => {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const found = await requests.findOne(keyIs(key))
      if (found === null) return
      const { revision } = found
      const { matchedCount } = await requests.updateOne(
        { _id: { $eq: key }, revision },
        { $set: { steps: withSteps(found.steps, steps), revision: revision + 1 } },
      )
      if (matchedCount === 1) return
    }
    throw new KreError('unavailable', 'too many report about one request at once: try again')
  })
}

function withSteps(known: readonly RequestStep[], steps: readonly RequestStep[]): RequestStep[] {
  const byId = new Map(known.map((step) => [step.id, step]))
  for (const step of steps)
    if (!byId.has(step.id) && byId.size < REQUEST_STEPS_MAX) byId.set(step.id, step)
  return [...byId.values()].toSorted((a, b) => a.arrivedAt.getTime() - b.arrivedAt.getTime())
}

function requestFilter(query: RequestQuery): Filter<RequestDocument> {
  const { version, workflow, statuses, kept, elapsedMsMin, from, to } = query
  const parts: Filter<RequestDocument>[] = [{ version: { $eq: version } }]
  if (workflow !== undefined) parts.push({ workflow: { $eq: workflow } })
  if (statuses !== undefined) parts.push({ status: { $in: [...statuses] } })
  if (kept !== undefined) parts.push({ kept: { $in: [...kept] } })
  if (elapsedMsMin !== undefined) parts.push({ elapsedMs: { $gte: elapsedMsMin } })
  if (from !== undefined) parts.push({ startedAt: { $gte: from } })
  if (to !== undefined) parts.push({ startedAt: { $lte: to } })
  return { $and: parts }
}

function toRequest(document: RequestDocument): Request {
  return {
    id: document.id,
    runtimeId: document.runtimeId,
    version: document.version,
    workflow: document.workflow,
    kept: document.kept,
    startedAt: document.startedAt,
    elapsedMs: document.elapsedMs,
    handlerMs: document.handlerMs,
    status: document.status,
    message: document.message,
    attempts: document.attempts,
    requestBytes: document.requestBytes,
  }
}
