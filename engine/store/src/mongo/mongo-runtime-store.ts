import { randomUUID } from 'node:crypto'
import { KreError, MINUTE_MS } from '@kre/contracts'
import type { Collection } from 'mongodb'
import type { Runtime, RuntimeStore } from '../ports/store.ts'
import type { DatabaseClaims } from './claim-databases.ts'
import { inTurn, turnOf } from './in-turn.ts'
import { keyIs, type Keyed, type MongoDatabases } from './mongo-databases.ts'
import { isDuplicate } from './to-kre-error.ts'

/**
 * `making`: what an earlier runtime of the id left is being swept away. `removing`: its data goes; the id is free when
 * the document is gone. Both are nobody's runtime, and an engine that finds one too old finishes it.
 */
type RuntimeState = 'making' | 'ready' | 'removing'
export type RuntimeDocument = Keyed & {
  /** The name, unique; of a runtime that is being removed nobody's, so that its name is free at once. */
  nameKey: string | { removed: string }
  name: string
  description: string
  createdAt: Date
  createdBy: string
  state: RuntimeState
  /** Tells a runtime from the next one of the same id. */
  incarnation: string
  changedAt: Date
}

/** A creation that is not over after so long was cut off. */
const MAKING_MS = MINUTE_MS
/** What a runtime owns beside its outputs: an earlier one of the id must not lend it to the next. */
const CONTROL_COLLECTIONS = [
  'versions',
  'versionFacts',
  'releases',
  'forgottenVersions',
  'configs',
  'placements',
  'logLimits',
]

export type MongoRuntimeStore = RuntimeStore & {
  /** Ends what a crash interrupted. */
  finishInterrupted(): Promise<void>
}

/** @param onRemoved is told the id, for what belongs to a runtime in other collections. */
export function createMongoRuntimeStore(
  databases: MongoDatabases,
  claims: DatabaseClaims,
  onRemoved: (runtimeId: string) => Promise<void>,
): MongoRuntimeStore {
  const runtimes = runtimesOf(databases)

  const finishRemoval = async (id: string): Promise<void> => {
    await claims.dropData(id)
    await onRemoved(id)
    // What a writer stored meanwhile.
    await claims.dropData(id)
    await runtimes.deleteOne({ _id: { $eq: id }, state: 'removing' })
  }

  return {
    async create(runtime) {
      const { id, ...fields } = runtime
      const leftOver = await runtimes.findOne({ _id: { $eq: id } })
      if (leftOver?.state === 'removing') await finishRemoval(id)
      if (leftOver?.state === 'making') await takeOver(runtimes, leftOver)
      const incarnation = randomUUID()
      const nameKey = runtime.name
      const changedAt = new Date()
      try {
        await runtimes.insertOne({
          _id: id,
          ...fields,
          nameKey,
          incarnation,
          changedAt,
          state: 'making',
        })
      } catch (error) {
        if (!isDuplicate(error)) throw error
        throw sameExists(
          (await runtimes.findOne({ _id: { $eq: id } })) === null ? 'name' : 'id',
          runtime,
        )
      }
      try {
        await claims.take(id)
        for (const name of CONTROL_COLLECTIONS)
          await databases.runtime(id).collection(name).deleteMany({})
        await runtimes.updateOne(
          { _id: { $eq: id }, incarnation },
          { $set: { state: 'ready', changedAt: new Date() } },
        )
      } catch (error) {
        await runtimes.deleteOne({ _id: { $eq: id }, incarnation })
        throw error
      }
    },
    async find(id) {
      const found = await findReady(runtimes, id)
      return found === null ? null : toRuntime(found)
    },
    async list() {
      const found = runtimes.find({ state: 'ready' }).sort({ createdAt: 1, _id: 1 })
      return (await found.toArray()).map(toRuntime)
    },
    async update(id, { name, description }) {
      const change = {
        $set: {
          ...(name === undefined ? {} : { name, nameKey: name }),
          ...(description === undefined ? {} : { description }),
          changedAt: new Date(),
        },
      }
      try {
        const changed = await inTurn(turnOf(runtimes, id), () =>
          runtimes.findOneAndUpdate({ _id: { $eq: id }, state: 'ready' }, change, {
            returnDocument: 'after',
          }),
        )
        if (changed === null) throw runtimeMissing(id)
        return toRuntime(changed)
      } catch (error) {
        if (isDuplicate(error)) throw sameExists('name', { id, name: name ?? '' })
        throw error
      }
    },
    async remove(id) {
      const change = { state: 'removing', nameKey: { removed: id }, changedAt: new Date() } as const
      const { matchedCount } = await runtimes.updateOne({ _id: { $eq: id } }, { $set: change })
      // Outputs can be there without their runtime.
      if (matchedCount === 0) await claims.dropData(id)
      else await finishRemoval(id)
    },
    async finishInterrupted() {
      for (const { _id } of await runtimes.find({ state: 'removing' }).toArray())
        await finishRemoval(_id)
    },
  }
}

/**
 * Runs a write that belongs to a runtime, and takes it back when the runtime went away meanwhile.
 *
 * @throws KreError `not-found` when the runtime isn't there, before or after the write.
 */
export async function writeOf<T>(
  databases: MongoDatabases,
  runtimeId: string,
  write: () => Promise<T>,
  undo: () => Promise<unknown>,
): Promise<T> {
  const runtimes = runtimesOf(databases)
  const before = await findReady(runtimes, runtimeId)
  if (before === null) throw runtimeMissing(runtimeId)
  const result = await write()
  const after = await findReady(runtimes, runtimeId)
  if (after?.incarnation === before.incarnation) return result
  await undo()
  throw runtimeMissing(runtimeId)
}

function runtimesOf({ engine }: MongoDatabases): Collection<RuntimeDocument> {
  return engine.collection<RuntimeDocument>('runtimes')
}

/** By its key alone, which every server finds without a look at the others. */
async function findReady(
  runtimes: Collection<RuntimeDocument>,
  id: string,
): Promise<RuntimeDocument | null> {
  const found = await runtimes.findOne(keyIs(id))
  return found?.state === 'ready' ? found : null
}

/** Removes what a creation left that was cut off; one that goes on is left alone, and its id taken. */
async function takeOver(
  runtimes: Collection<RuntimeDocument>,
  leftOver: RuntimeDocument,
): Promise<void> {
  if (Date.now() - leftOver.changedAt.getTime() < MAKING_MS) return
  await runtimes.deleteOne({
    _id: leftOver._id,
    incarnation: leftOver.incarnation,
    state: 'making',
  })
}

function sameExists(field: 'id' | 'name', runtime: Pick<Runtime, 'id' | 'name'>): KreError {
  return new KreError('already-exists', `there is already a runtime with the same ${field}`, {
    [field]: runtime[field],
  })
}

function runtimeMissing(runtimeId: string): KreError {
  return new KreError(
    'not-found',
    `there is no runtime "${runtimeId}": it may have been deleted meanwhile`,
    { runtimeId },
  )
}

function toRuntime({ _id, name, description, createdAt, createdBy }: RuntimeDocument): Runtime {
  return { id: _id, name, description, createdAt, createdBy }
}
