/** The services of nodes, for all languages: names, arguments and results as `worker.proto` lists them at `Call`. */
import {
  dataSubject,
  FindReply,
  KreError,
  MINUTE_MS,
  StoredReply,
  type NodeLaunch,
} from '@kre/contracts/runtime'
import { parseAnswer, type Inbox } from '@kre/core-nats'
import { originOf } from '../outputs/origin.ts'
import type { Outbox } from '../outputs/outbox.ts'
import { KeyFilter } from './key-filter.ts'
import { createKeyValueStores, GetArguments, SetArguments } from './key-value-stores.ts'
import { createObjectBucket, ObjectKey } from './object-stores.ts'
import {
  checkArguments,
  DocumentArguments,
  FindArguments,
  MeasurementArguments,
  PredictionArguments,
  toPredictionDate,
} from './records.ts'

/** How long a document may take to be stored when the request has no deadline. */
const STORED_TIMEOUT_MS = MINUTE_MS

export type ServiceAnswer = { result: unknown; data: Uint8Array }
/** Who calls: a call of the handler, or `init`. */
export type ServiceCaller = {
  readonly requestId: string | null
  /** On the clock of `performance.now()`. */
  readonly deadlineAt: number
  effectId(node: string): string
}
export type DataServices = (
  caller: ServiceCaller,
  service: string,
  method: string,
  args: unknown,
  data: Uint8Array,
) => Promise<ServiceAnswer>

const NO_DATA = new Uint8Array(0)
type Method = (caller: ServiceCaller, args: unknown, data: Uint8Array) => Promise<unknown>

export function createDataServices(
  launch: NodeLaunch,
  inbox: Inbox,
  outbox: Outbox,
  /** Of the server, in bytes. */
  maxPayload: () => number,
): DataServices {
  const values = createKeyValueStores(launch, inbox)
  const objects = createObjectBucket(launch, inbox, maxPayload)
  const timeoutMs = (caller: ServiceCaller) =>
    Math.max(1, Math.ceil(Math.min(caller.deadlineAt - performance.now(), STORED_TIMEOUT_MS)))
  const identity = (caller: ServiceCaller) => ({
    id: caller.effectId(launch.node),
    ...originOf(launch, caller.requestId),
  })

  const methods: Readonly<Record<string, Method>> = {
    'db.save': async (caller, args) => {
      const { collection, document } = checkArguments('db.save', DocumentArguments, args)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const ms = timeoutMs(caller)
      const timer = setTimeout(() => {
        const text = `db.save: the store did not confirm the document within ${ms} ms`
        reject(new KreError('deadline-exceeded', text, { collection }))
      }, ms)
      const stored = inbox.expect((answer) => {
        const reply = StoredReply.parse(parseAnswer(answer))
        if (reply.success) return resolve()
        reject(
          new KreError('internal', `db.save: ${reply.error ?? 'the store refused the document'}`),
        )
      })
      try {
        const record = { kind: 'document' as const, collection, document, ...identity(caller) }
        await Promise.all([outbox.send(record, stored.subject), promise])
      } finally {
        clearTimeout(timer)
        stored.forget()
      }
      return null
    },
    'db.find': async (caller, args) => {
      const query = checkArguments('db.find', FindArguments, args)
      const subject = dataSubject(launch.runtimeId, 'find')
      const answer = await inbox.request(subject, JSON.stringify(query), timeoutMs(caller))
      const reply = FindReply.parse(parseAnswer(answer))
      if (!reply.success) throw new KreError('internal', `db.find: ${reply.error}`)
      return reply.documents
    },
    'prediction.save': async (caller, args) => {
      const prediction = checkArguments('prediction.save', PredictionArguments, args)
      const date = toPredictionDate(prediction.date)
      const extra = prediction.extra ?? null
      await outbox.send({ kind: 'prediction', ...prediction, extra, date, ...identity(caller) })
      return null
    },
    'measurement.save': async (caller, args) => {
      const measurement = checkArguments('measurement.save', MeasurementArguments, args)
      outbox.post({ kind: 'measurement', ...measurement, ...identity(caller) })
      return null
    },
    'object_store.save': async (_, args, data) =>
      objects.save(checkArguments('object_store.save', ObjectKey, args).key, data),
    'object_store.get': async (_, args) =>
      objects.get(checkArguments('object_store.get', ObjectKey, args).key),
    'object_store.list': async (_, args) =>
      objects.list(checkArguments('object_store.list', KeyFilter, args)),
    'object_store.delete': async (_, args) =>
      objects.delete(checkArguments('object_store.delete', ObjectKey, args).key),
    'object_store.purge': async (_, args) =>
      objects.purge(checkArguments('object_store.purge', KeyFilter, args)),
    'configuration.set': async (_, args) =>
      values.set(checkArguments('configuration.set', SetArguments, args)),
    'configuration.get': async (_, args) =>
      values.get(checkArguments('configuration.get', GetArguments, args)),
    'configuration.delete': async (_, args) =>
      values.delete(checkArguments('configuration.delete', GetArguments, args)),
  }

  return async (caller, service, method, args, data) => {
    const name = `${service}.${method}`
    const run = Object.hasOwn(methods, name) ? methods[name] : undefined
    if (run === undefined)
      throw new KreError('unimplemented', `the runner has no service "${name}"`)
    const result = await run(caller, args, data)
    return result instanceof Uint8Array
      ? { result: null, data: result }
      : { result: result ?? null, data: NO_DATA }
  }
}
