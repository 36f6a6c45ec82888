export { DEFAULT_LIMITS, type Limits } from './limits.ts'
export type { EntrypointStats } from './requests/request-counts.ts'
export { type Entrypoint, startEntrypoint } from './service.ts'
