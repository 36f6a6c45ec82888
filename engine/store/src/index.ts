export { parseDocumentQuery, type FieldCondition } from './outputs/document-query.ts'
export {
  SET_ASIDE_MESSAGES_MAX,
  SET_ASIDE_PAYLOAD_BYTES_MAX,
  type BundleStore,
  type ConfigEntry,
  type ConfigStore,
  type ConfigType,
  type IdentityStore,
  type LogPage,
  type LogQuery,
  type Login,
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
export { openSqliteStore, type StoreLogger } from './sqlite/open-sqlite-store.ts'
