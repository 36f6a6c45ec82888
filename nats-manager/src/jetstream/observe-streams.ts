import { RetentionPolicy, type JetStreamManager, type StreamInfo } from '@nats-io/jetstream'
import type { ObservedStream } from '../plan/diff.ts'
import type { Owner } from '../plan/plan.ts'
import { ignoreMissing } from './ignore-known.ts'
import { inParallel } from './in-parallel.ts'

/** Streams that the server describes in one answer: as long as there are no more, looking at all of them is one request. */
const PAGE_STREAMS = 256

export type StreamObserver = {
  /** Everything that carries our metadata. */
  all(): Promise<ObservedStream[]>
  /**
   * What belongs to one runtime. What it asks of the server grows with that runtime, and not with how many others there
   * are: a pass over each of a hundred would describe the streams of all of them a hundred times.
   */
  of(runtimeId: string): Promise<ObservedStream[]>
}

export function observeStreams(manager: JetStreamManager): StreamObserver {
  /** When they were listed last. */
  let streams = 0

  const all = async (): Promise<ObservedStream[]> => {
    const found: StreamInfo[] = []
    for await (const info of manager.streams.list()) found.push(info)
    streams = found.length
    return found.flatMap(toObserved)
  }
  const named = async (runtimeId: string): Promise<ObservedStream[]> => {
    const names: string[] = []
    for await (const name of manager.streams.names()) names.push(name)
    streams = names.length
    const observed: ObservedStream[] = []
    // A name only says what may be the runtime's: a version may be called like it. Whose it is, metadata say.
    const maybe = names.filter((name) => name.split('_').includes(runtimeId))
    await inParallel(maybe, async (name) => {
      const info = await manager.streams.info(name).catch(ignoreMissing)
      if (info !== undefined) observed.push(...toObserved(info))
    })
    return observed
  }

  return {
    all,
    async of(runtimeId) {
      const observed = streams <= PAGE_STREAMS ? await all() : await named(runtimeId)
      return observed.filter(({ owner }) => owner.runtime === runtimeId)
    },
  }
}

/** The metadata that make an object ours. */
export function metadataOf(owner: Owner): Record<string, string> {
  return {
    'kre.dev/runtime': owner.runtime,
    ...(owner.version === null ? {} : { 'kre.dev/version': owner.version }),
  }
}

function ownerOf(metadata: Record<string, string>): Owner | null {
  const runtime = metadata['kre.dev/runtime']
  return runtime === undefined ? null : { runtime, version: metadata['kre.dev/version'] ?? null }
}

function toObserved({ config, state }: StreamInfo): ObservedStream[] {
  const owner = ownerOf(config.metadata ?? {})
  if (owner === null) return []
  return [
    {
      name: config.name,
      owner,
      consumers: state.consumer_count,
      messages: state.messages,
      isQueue: config.retention === RetentionPolicy.Workqueue,
    },
  ]
}
