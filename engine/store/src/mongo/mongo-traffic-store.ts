import { HISTOGRAM_BOUNDS_S } from '@kre/contracts'
import type { AnyBulkWriteOperation, Collection, UpdateFilter } from 'mongodb'
import { addCounts, checkSamples, checkStep, stepBegin } from '../outputs/traffic-steps.ts'
import {
  TRAFFIC_RESOLUTIONS,
  TRAFFIC_SAMPLES_MAX,
  TRAFFIC_SCOPES_MAX,
  TRAFFIC_TIMES,
  type TrafficCounts,
  type TrafficSample,
  type TrafficScope,
  type TrafficStore,
  type TrafficTime,
} from '../ports/traffic-store.ts'
import type { DatabaseClaims } from './claim-databases.ts'
import { inTurn, turnOf } from './in-turn.ts'
import { insertMissing } from './insert-missing.ts'
import type { Keyed, MongoDatabases } from './mongo-databases.ts'
import { SEARCH_MS_MAX } from './outputs/find-documents.ts'

const BUCKETS = HISTOGRAM_BOUNDS_S.length + 1

/** One step of one scope. Buckets are fields `0`, `1` …, so that each is counted up alone. */
type StepDocument = Keyed &
  TrafficScope & {
    scope: string
    version: string
    stepMs: number
    at: Date
    calls: number
    errors: number
    queuedMax?: number
    times?: Partial<Record<TrafficTime, { buckets?: Record<string, number>; sumS: number }>>
  }
type ScopeDocument = Keyed & { version: string }
type Step = { scope: string; stepMs: number; atMs: number; sample: TrafficSample }

export function createMongoTrafficStore(
  databases: MongoDatabases,
  claims: DatabaseClaims,
): TrafficStore {
  const stepsOf = (runtimeId: string): Collection<StepDocument> =>
    databases.runtime(runtimeId).collection('traffic')
  const scopesOf = (runtimeId: string): Collection<ScopeDocument> =>
    databases.runtime(runtimeId).collection('trafficScopes')

  return {
    async add(runtimeId, version, samples) {
      await claims.take(runtimeId)
      const steps = stepsOf(runtimeId)
      await inTurn(turnOf(steps, version), async () => {
        const counted = await countedScopes(scopesOf(runtimeId), version, samples)
        const sums = [...sumSteps(version, samples).values()].filter(({ scope }) =>
          counted.has(scope),
        )
        await addSteps(steps, version, sums)
      })
    },
    async read({ runtimeId, version, from, to, stepMs }) {
      checkStep(stepMs)
      const found = await stepsOf(runtimeId)
        .find(
          { version: { $eq: version }, stepMs, at: { $gte: from, $lt: to } },
          { maxTimeMS: SEARCH_MS_MAX },
        )
        .sort({ at: 1, _id: 1 })
        .limit(TRAFFIC_SAMPLES_MAX + 1)
        .toArray()
      checkSamples(found.length)
      return found.map(toSample)
    },
    async expire(now) {
      let removed = 0
      for (const runtimeId of await claims.runtimeIds()) {
        for (const { stepMs, keepMs } of TRAFFIC_RESOLUTIONS) {
          const before = new Date(now.getTime() - keepMs)
          const old = { stepMs, at: { $lt: before } }
          removed += (await stepsOf(runtimeId).deleteMany(old)).deletedCount
        }
        await removeUnused(stepsOf(runtimeId), scopesOf(runtimeId))
      }
      return removed
    },
  }
}

function scopeKey(version: string, { workflow, node, from }: TrafficScope): string {
  return JSON.stringify([version, workflow, node, from])
}

/** Of the samples' scopes those that are counted, up to the bound. */
async function countedScopes(
  scopes: Collection<ScopeDocument>,
  version: string,
  samples: readonly TrafficSample[],
): Promise<ReadonlySet<string>> {
  const wanted = new Set(samples.map((sample) => scopeKey(version, sample)))
  const known = await scopes
    .find({ version: { $eq: version } }, { projection: { _id: 1 } })
    .toArray()
  const counted = new Set(known.map(({ _id }) => _id))
  const made = [...wanted]
    .filter((key) => !counted.has(key))
    .slice(0, Math.max(0, TRAFFIC_SCOPES_MAX - counted.size))
  await insertMissing(
    scopes,
    made.map((_id) => ({ _id, version })),
  )
  return new Set([...counted, ...made])
}

/** One sum per step and scope: a batch writes each document once. */
function sumSteps(version: string, samples: readonly TrafficSample[]): Map<string, Step> {
  const steps = new Map<string, Step>()
  for (const sample of samples)
    for (const { stepMs } of TRAFFIC_RESOLUTIONS) {
      const scope = scopeKey(version, sample)
      const atMs = stepBegin(sample.at, stepMs)
      const key = `${stepMs}/${atMs}/${scope}`
      const before = steps.get(key)
      const sum = before === undefined ? sample : { ...sample, ...addCounts(before.sample, sample) }
      steps.set(key, { scope, stepMs, atMs, sample: sum })
    }
  return steps
}

/** New steps are inserted as they are, which costs a tenth of an upsert; what is there is counted up. */
async function addSteps(
  steps: Collection<StepDocument>,
  version: string,
  sums: readonly Step[],
): Promise<void> {
  const found = await steps
    .find({ _id: { $in: sums.map(keyOf) } }, { projection: { _id: 1 } })
    .toArray()
  const known = new Set(found.map(({ _id }) => _id))
  const isNew = (step: Step): boolean => !known.has(keyOf(step))
  const made = sums.filter(isNew)
  const { present } = await insertMissing(
    steps,
    made.map((step) => toDocument(version, step)),
  )
  // Somebody else made these between the two.
  const late = present.flatMap((index) => made[index] ?? [])
  const updates = [...sums.filter((step) => !isNew(step)), ...late].map(
    (step): AnyBulkWriteOperation<StepDocument> => ({
      updateOne: { filter: { _id: keyOf(step) }, update: changes(step.sample) },
    }),
  )
  if (updates.length > 0) await steps.bulkWrite(updates, { ordered: false })
}

function keyOf({ stepMs, atMs, scope }: Step): string {
  return `${stepMs}/${atMs}/${scope}`
}

function toDocument(version: string, step: Step): StepDocument {
  const { scope, stepMs, atMs, sample } = step
  const { workflow, node, from, calls, errors } = sample
  const times: NonNullable<StepDocument['times']> = {}
  for (const name of TRAFFIC_TIMES) {
    const own = sample.times[name]
    if (own === undefined) continue
    const buckets = Object.fromEntries(
      [...own.buckets.entries()].filter(([, count]) => count !== 0),
    )
    times[name] = { buckets, sumS: own.sumS }
  }
  const at = new Date(atMs)
  return {
    _id: keyOf(step),
    scope,
    version,
    stepMs,
    at,
    workflow,
    node,
    from,
    calls,
    errors,
    times,
    ...queueOf(sample),
  }
}

function queueOf({ queuedMax }: { queuedMax?: number | undefined }): { queuedMax?: number } {
  return queuedMax === undefined ? {} : { queuedMax }
}

function changes(counts: TrafficCounts): UpdateFilter<StepDocument> {
  const queue = queueOf(counts)
  return {
    $inc: increments(counts),
    ...(queue.queuedMax === undefined ? {} : { $max: queue }),
  }
}

function increments({ calls, errors, times }: TrafficCounts): Record<string, number> {
  const sums: Record<string, number> = { calls, errors }
  for (const name of TRAFFIC_TIMES) {
    const own = times[name]
    if (own === undefined) continue
    sums[`times.${name}.sumS`] = own.sumS
    for (const [bucket, count] of own.buckets.entries())
      if (count !== 0) sums[`times.${name}.buckets.${bucket}`] = count
  }
  return sums
}

function toSample(document: StepDocument): TrafficSample {
  const times: TrafficSample['times'] = {}
  for (const name of TRAFFIC_TIMES) {
    const own = document.times?.[name]
    if (own === undefined) continue
    const buckets = Array.from({ length: BUCKETS }, (_, i) => own.buckets?.[i] ?? 0)
    times[name] = { buckets, sumS: own.sumS }
  }
  const { workflow, node, from, at, calls, errors } = document
  return { workflow, node, from, at, calls, errors, times, ...queueOf(document) }
}

/** Scopes of which no step is left give their place to others. */
async function removeUnused(
  steps: Collection<StepDocument>,
  scopes: Collection<ScopeDocument>,
): Promise<void> {
  const used = await steps.aggregate<Keyed>([{ $group: { _id: '$scope' } }]).toArray()
  const isUsed = new Set(used.map(({ _id }) => _id))
  const all = await scopes.find({}, { projection: { _id: 1 } }).toArray()
  const unused = all.map(({ _id }) => _id).filter((_id) => !isUsed.has(_id))
  if (unused.length > 0) await scopes.deleteMany({ _id: { $in: unused } })
}
