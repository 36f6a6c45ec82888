import type { EngineStatus, EventBus } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { KeyKeeper, Store } from '@kre/store'
import type { KeyedLock } from './concurrency/keyed-lock.ts'
import type { Mailer } from './mail/mailer.ts'
import type { HashToken } from './sign-in/tokens.ts'
import type { IngestBundle } from './versions/ingest-bundle.ts'

/** What the admin API is made of; whoever starts it brings these. */
export type AdminApiDeps = {
  store: Store
  events: EventBus
  ingest: IngestBundle
  /** Absent = `GET /api/v1/status` is not implemented. */
  describe?: () => Promise<EngineStatus>
  /** Master keys of the configuration; absent = `/api/v1/keys` is not implemented. */
  keys?: KeyKeeper
  /** Absent = `GET /metrics` is not implemented. In Prometheus's text format. */
  metrics?: () => string
  logger: Logger
  now?: () => Date
  /** Key of the hashes that tokens are stored as, at least 32 bytes. It must survive restarts, or every login ends. */
  pepper: Buffer
  /** The development token of the local owner, at least 32 characters. */
  bootstrapToken: string
  /** Where browsers reach this API, for sign-in links: `http://127.0.0.1:4000`. Asked when a link is made. */
  publicUrl: () => string
  /** Delivers sign-in links. Absent = nobody signs in by mail. */
  mailer?: Mailer
}

/** What the features share; each of them names the few fields it needs. */
export type FeatureDeps = Store & {
  events: EventBus
  ingest: IngestBundle
  logger: Logger
  now: () => Date
  newId: () => string
  hashToken: HashToken
  /** Serialises work on one thing inside this process; the store's compare-and-set guards the rest. */
  lock: KeyedLock
  /** Tells values apart without showing them: see `fingerprint`. */
  fingerprintKey: Buffer
}
