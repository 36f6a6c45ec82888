import { setTimeout as sleep } from 'node:timers/promises'
import {
  interfaceKey,
  KreError,
  ROUTING_KEY,
  routingBucket,
  RoutingTable,
  VersionInterface,
} from '@kre/contracts/runtime'
import type { JsonLogger } from '@kre/service-kit/runner'
import type { KV } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { createServedVersion, type ServedVersion } from './served-version.ts'
import { type KeyWatch, watchKey } from './watch-key.ts'

/** Between two looks at an interface that the routing table already names. */
const RETRY_MS = 100
/** What can't be read by then is not waited for. */
const LOOK_MS_MAX = 500

/** Which version a request goes to now. */
export type VersionRouter = {
  /** The version in force; null = none is published, or its interface has not arrived. */
  current(): ServedVersion | null
  connect(nats: NatsConnection): void
  reconnected(): void
  /** Resolves when what the routing table says now is in force, or can't be. Never fails. */
  look(): Promise<void>
  /** Resolves when it is known for the first time which version is in force, if any. */
  readonly known: Promise<void>
  stop(): void
}

/**
 * Follows the interface of one version, or the runtime's routing table. A switch is in force for the next request
 * as soon as the new version's interface is loaded; until then the old version goes on.
 */
export function createVersionRouter(options: {
  runtimeId: string
  /** Null: the published one. */
  version: string | null
  /** Called before the version gets requests. */
  onLoaded: (version: ServedVersion) => void
  /** Called after each change of `current()`. */
  onSwitched: (now: ServedVersion | null) => void
  logger: JsonLogger
}): VersionRouter {
  const { runtimeId, version, logger } = options
  let current: ServedVersion | null = null
  let currentText = ''
  let watch: KeyWatch | null = null
  /** Counts values of the watched key: what a later one overtook is dropped. */
  let latest = 0
  const { promise: known, resolve: markKnown } = Promise.withResolvers<void>()

  const switchTo = (text: string) => {
    if (text === currentText) return
    const next = createServedVersion(parse(VersionInterface, text, 'interface'))
    options.onLoaded(next)
    current = next
    currentText = text
    logger.info({ runtimeId, version: next.ref.version }, 'version in force')
    options.onSwitched(next)
    markKnown()
  }

  const onRouting = async (text: string | null, kv: KV) => {
    const mine = ++latest
    const table = text === null ? null : parse(RoutingTable, text, 'routing table')
    const published = table?.published ?? null
    if (published === null) {
      markKnown()
      if (current === null) return
      current = null
      currentText = ''
      logger.info({ runtimeId }, 'no version in force')
      options.onSwitched(null)
      return
    }
    for (let tries = 0; mine === latest; tries++) {
      const entry = await kv.get(interfaceKey(published)).catch(() => null)
      if (mine !== latest) return
      if (entry?.operation === 'PUT') return switchTo(entry.string())
      if (tries === 0) logger.warn({ version: published }, 'published version has no interface yet')
      await sleep(RETRY_MS)
    }
  }

  let handled: Promise<void> = Promise.resolve()
  const guarded = (work: () => void | Promise<void>) => {
    const report = (error: unknown) => logger.error({ err: error }, 'routing data refused')
    handled = Promise.resolve().then(work).catch(report)
  }
  const look = async () => {
    await watch?.look().catch(() => undefined) // the watch itself begins anew then
    await handled
  }

  return {
    known,
    current: () => current,
    connect(nats) {
      const bucket = routingBucket(runtimeId)
      watch =
        version === null
          ? watchKey(nats, bucket, ROUTING_KEY, (text, kv) => guarded(() => onRouting(text, kv)))
          : watchKey(nats, bucket, interfaceKey(version), (text) => {
              // A deleted interface means that this process is about to be stopped; until then it serves.
              if (text !== null) guarded(() => switchTo(text))
            })
    },
    reconnected: () => watch?.restart(),
    look: () => Promise.race([look(), sleep(LOOK_MS_MAX, undefined, { ref: false })]),
    stop() {
      latest++
      watch?.stop()
    },
  }
}

function parse<T>(
  schema: {
    safeParse(value: unknown): { success: true; data: T } | { success: false; error: Error }
  },
  text: string,
  what: string,
): T {
  const parsed = schema.safeParse(JSON.parse(text))
  if (parsed.success) return parsed.data
  throw new KreError(
    'internal',
    `the ${what} in the routing bucket does not have its form: ${parsed.error.message}`,
    {},
    { cause: parsed.error },
  )
}
