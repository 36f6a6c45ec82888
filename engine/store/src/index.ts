export { LOG_MESSAGE_CHARS_MAX } from './outputs/check-output.ts'
export { parseDocumentQuery, type FieldCondition } from './outputs/document-query.ts'
export {
  AUDIT_LINK_KINDS,
  type AuditAnchor,
  type AuditHead,
  type AuditLink,
  type AuditLinkKind,
  type AuditQuery,
  type AuditStore,
} from './ports/audit-store.ts'
export {
  ACCESS_LEVELS,
  ATTEMPT_COUNTERS_MAX,
  DEFAULT_SETTINGS,
  LOGIN_METHODS,
  type AccessLevel,
  type ApiToken,
  type ApiTokenScope,
  type ApiTokenStore,
  type AttemptStore,
  type Grant,
  type IdentityStore,
  type LinkProof,
  type LinkUse,
  type Login,
  type LoginMethod,
  type LoginStore,
  type Settings,
  type SettingsStore,
  type SignInLink,
  type SignInLinkStore,
  type User,
  type UserStore,
} from './ports/identity-store.ts'
export {
  SET_ASIDE_MESSAGES_MAX,
  SET_ASIDE_PAYLOAD_BYTES_MAX,
  type BundleStore,
  type ConfigEntry,
  type ConfigStore,
  type ConfigType,
  type LogPage,
  type LogQuery,
  type OutputStore,
  type PlacementStore,
  type ReleaseStore,
  type Runtime,
  type RuntimeStore,
  type SetAsideMessage,
  type Store,
  type Version,
  type VersionStore,
  type WriteOutcome,
} from './ports/store.ts'
export type { HeardTotals, HeardTotalsStore } from './ports/heard-totals-store.ts'
export type { Lease, LeaseStore } from './ports/lease-store.ts'
export {
  type LogLimits,
  type LogRetentionStore,
  type LogsTrimmed,
  type LogUsage,
} from './ports/log-retention-store.ts'
export { addCounts } from './outputs/traffic-steps.ts'
export {
  CONFUSION_CELLS_MAX,
  PREDICTION_BUCKETS_MAX,
  type ConfusionCell,
  type PredictionBucket,
  type PredictionCounts,
  type PredictionQuery,
  type PredictionStats,
} from './ports/prediction-stats.ts'
export {
  REQUEST_STEPS_MAX,
  REQUESTS_KEPT_MAX,
  type KeptRequest,
  type RequestQuery,
  type RequestStep,
  type RequestStore,
} from './ports/request-store.ts'
export {
  SAMPLES_PER_EDGE_MAX,
  type MessagePart,
  type MessageSample,
  type SampleQuery,
  type SampleStore,
  type Sampling,
} from './ports/sample-store.ts'
export {
  TRAFFIC_RESOLUTIONS,
  TRAFFIC_SAMPLES_MAX,
  TRAFFIC_SCOPES_MAX,
  TRAFFIC_TIMES,
  type TimesCount,
  type TrafficCounts,
  type TrafficSample,
  type TrafficScope,
  type TrafficStore,
  type TrafficTime,
} from './ports/traffic-store.ts'
export { type Upload, type UploadOutcome, type UploadStore } from './ports/upload-store.ts'
export { openSqliteStore, type StoreLogger } from './sqlite/open-sqlite-store.ts'
export { hasSealedValues, unsetUnreadable } from './sealed/reseal-config.ts'
export { sealStore, type KeyKeeper, type KeyStatus } from './sealed/seal-store.ts'
