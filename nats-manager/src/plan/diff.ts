import { streamOf, type NatsPlan, type ObjectPlan, type Owner } from './plan.ts'

/** A stream on the server that carries our metadata. */
export type ObservedStream = {
  name: string
  owner: Owner
  consumers: number
  /** That are in it, those that were delivered and not confirmed included. */
  messages: number
  /** Whether its messages wait for somebody, instead of being kept. */
  isQueue: boolean
}

export type NatsDiff = {
  create: ObjectPlan[]
  remove: string[]
  /** Would be removed, but something in them waits for the store: a later pass finds them empty. */
  waiting: string[]
  /** Are to take nothing any more, before anything is created: their subjects by name. */
  retire: ReadonlyMap<string, string>
}

/** What to make and what to remove so that the server holds exactly what one runtime's plan says. */
export function diff(
  runtimeId: string,
  plan: NatsPlan,
  observed: readonly ObservedStream[],
): NatsDiff {
  const ours = observed.filter((stream) => stream.owner.runtime === runtimeId)
  const required = new Map(plan.required.map((object) => [streamOf(object), object]))
  const complete = new Set(
    ours
      .filter((stream) => isComplete(stream, required.get(stream.name)))
      .map((stream) => stream.name),
  )
  const unwanted = ours
    .filter((stream) => !required.has(stream.name) && !plan.kept.has(stream.name))
    // Objects of the runtime itself (project stores, routing) go only with the runtime.
    .filter((stream) => stream.owner.version !== null || plan.retired.has(stream.name))
  const isWaiting = (stream: ObservedStream) => stream.isQueue && stream.messages > 0
  return {
    create: plan.required.filter((object) => !complete.has(streamOf(object))),
    remove: unwanted.filter((stream) => !isWaiting(stream)).map(({ name }) => name),
    waiting: unwanted.filter(isWaiting).map(({ name }) => name),
    retire: new Map([...plan.retired].filter(([name]) => ours.some((one) => one.name === name))),
  }
}

/** The object as it is seen when nothing of it is missing. */
export function asComplete(object: ObjectPlan): ObservedStream {
  const { owner } = object
  const consumers = object.kind === 'stream' ? object.consumers.length : 0
  return { name: streamOf(object), owner, consumers, messages: 0, isQueue: false }
}

function isComplete(stream: ObservedStream, object: ObjectPlan | undefined): boolean {
  return object?.kind !== 'stream' || stream.consumers >= object.consumers.length
}
