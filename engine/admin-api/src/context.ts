import type { EngineStatus, EventBus } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { AuditLink, KeyKeeper, Store } from '@kre/store'
import type { Audit } from './audit/audit.ts'
import type { CheckIntegrity } from './audit/check-integrity.ts'
import type { KeyedLock } from './concurrency/keyed-lock.ts'
import type { AcquireShared } from './concurrency/shared-lock.ts'
import type { Mailer } from './mail/mailer.ts'
import type { OidcSettings } from './oidc/identity-provider.ts'
import type { Principal } from './principal.ts'
import type { HashToken } from './sign-in/tokens.ts'
import type { DocumentReader } from './docs/document-reader.ts'
import type { ProtoComments } from './rpcs/proto-comments.ts'
import type { VersionTypes } from './rpcs/version-types.ts'
import type { LiveTraffic } from './traffic/create-observer.ts'
import type { UploadLimits } from './uploads/upload-limits.ts'
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
  /** What versions do right now, from where their counts arrive. Absent = `watchTraffic` is not implemented. */
  liveTraffic?: LiveTraffic
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
  /** Where people sign in by OpenID Connect. Absent = nowhere. */
  oidc?: OidcSettings
  /**
   * Tells engines on one store apart in the audit log, and finds what this one left open when it died: the same after
   * a restart. Default `engine`, which is right for a single one.
   */
  engineId?: string
  /** Keeps other engines on the store from the same runtime, bundle or upload. Absent = there are none. */
  acquire?: AcquireShared
  /** What is not named has its default. */
  uploadLimits?: Partial<UploadLimits>
  /** Folder of the built admin UI. Absent = this engine serves none. */
  uiDir?: string
  /** Whether GraphQL's `createVersion` takes files, as KRE's clients send them; default false. */
  graphqlUploads?: boolean
  /** Whether logins by cookie may send nothing but the operations of the admin UI; default false. */
  persistedOnly?: boolean
  /** What a GraphQL operation may take; default 10 s. */
  executionMs?: number
  /** After which the client of an event stream that takes nothing is cut; default 30 s. */
  stalledMs?: number
  /** Links of the audit log go at this age; default null = never. */
  auditAgeMs?: number | null
  /** Addresses or networks of proxies whose `X-Forwarded-For` counts; default none. */
  trustedProxies?: readonly string[]
}

/** What the features share; each of them names the few fields it needs. */
export type FeatureDeps = Store & {
  events: EventBus
  ingest: IngestBundle
  logger: Logger
  now: () => Date
  newId: () => string
  /** Where browsers reach this API. */
  publicUrl: () => string
  hashToken: HashToken
  /** What a principal is by now; null = its login or token ended. For work that takes longer than a moment. */
  currentPrincipal: (principal: Principal) => Promise<Principal | null>
  /** Serialises work on one runtime or bundle, over all engines of the store. */
  lock: KeyedLock
  /** Keeps other engines away. */
  acquire: AcquireShared
  /** Tells values apart without showing them: see `fingerprint`. */
  fingerprintKey: Buffer
  /** Null where this process collects no metrics. */
  liveTraffic: LiveTraffic | null
  documents: DocumentReader
  /** The messages of versions. */
  versionTypes: VersionTypes
  protoComments: ProtoComments
  /** The writing end of `audit`: every change of the engine's state begins there. */
  auditLog: Audit
  checkAudit: CheckIntegrity
  /** Whether the engine wrote a link of the audit log just so. */
  isGenuine: (link: AuditLink) => boolean
  uploadLimits: UploadLimits
}
