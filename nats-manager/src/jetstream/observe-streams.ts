import { RetentionPolicy, type JetStreamManager, type StreamInfo } from '@nats-io/jetstream'
import { MINUTE_MS } from '@kre/contracts'
import type { ObservedStream } from '../plan/diff.ts'
import type { Owner } from '../plan/plan.ts'
import { ignoreMissing } from './ignore-known.ts'
import { inParallel } from './in-parallel.ts'

/**
 * Names of all streams are listed so often at most, which the server does one by one: what this engine makes it knows.
 * For what another one has left, and for what somebody makes by hand.
 */
const LIST_MS = 5 * MINUTE_MS

export type StreamObserver = {
  /** Everything that carries our metadata. */
  all(): Promise<ObservedStream[]>
  /**
   * What belongs to one runtime. What it asks of the server grows with that runtime, and not with how many others there
   * are.
   *
   * @param names that it may have, whether they are known or not.
   * @param skipped names that are not asked for, if they are known.
   */
  of(
    runtimeId: string,
    names: Iterable<string>,
    skipped?: ReadonlySet<string>,
  ): Promise<ObservedStream[]>
  /** The same, whoever made it: all names are listed first. */
  allOf(runtimeId: string): Promise<ObservedStream[]>
  /** This engine is about to make it. */
  making(name: string): void
}

/** @param now ms of a clock that is never set back. */
export function observeStreams(
  manager: JetStreamManager,
  now: () => number = () => performance.now(),
): StreamObserver {
  let known = createNames()
  let listing: { at: number; done: Promise<void> } | null = null

  const list = async () => {
    const next = createNames()
    // What is made while it is listed may be missing there.
    const before = known
    known = { ...before, add: (name) => [before, next].forEach((one) => one.add(name)) }
    for await (const name of manager.streams.names()) next.add(name)
    known = next
  }
  const listed = async (isOld: (at: number) => boolean) => {
    if (listing === null || isOld(listing.at)) {
      const begun = { at: now(), done: list() }
      listing = begun
      // Whoever comes next lists them again.
      begun.done.catch(() => (listing = listing === begun ? null : listing))
    }
    return listing.done
  }
  const describe = async (
    runtimeId: string,
    names: Iterable<string>,
    skipped: ReadonlySet<string> = new Set(),
  ) => {
    const observed: ObservedStream[] = []
    // A name only says what may be the runtime's: a version may be called like it. Whose it is, metadata say.
    const maybe = new Set([...names, ...known.of(runtimeId)])
    const asked = [...maybe].filter((name) => !skipped.has(name))
    await inParallel(asked, async (name) => {
      const info = await manager.streams.info(name).catch(ignoreMissing)
      if (info === undefined) known.drop(name)
      else observed.push(...toObserved(info))
    })
    return observed.filter(({ owner }) => owner.runtime === runtimeId)
  }

  return {
    async all() {
      const found: StreamInfo[] = []
      for await (const info of manager.streams.list()) found.push(info)
      return found.flatMap(toObserved)
    },
    async of(runtimeId, names, skipped) {
      await listed((at) => now() - at > LIST_MS)
      return describe(runtimeId, names, skipped)
    },
    async allOf(runtimeId) {
      await listed(() => true)
      return describe(runtimeId, [])
    },
    making: (name) => known.add(name),
  }
}

type Names = {
  add(name: string): void
  drop(name: string): void
  /** Those with the runtime's id in them. */
  of(runtimeId: string): Iterable<string>
}

function createNames(): Names {
  const byPart = new Map<string, Set<string>>()
  return {
    add(name) {
      for (const part of name.split('_')) {
        const names = byPart.get(part)
        if (names === undefined) byPart.set(part, new Set([name]))
        else names.add(name)
      }
    },
    drop(name) {
      for (const part of name.split('_')) {
        const names = byPart.get(part)
        names?.delete(name)
        if (names?.size === 0) byPart.delete(part)
      }
    },
    of: (runtimeId) => byPart.get(runtimeId) ?? [],
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
