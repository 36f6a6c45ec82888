import type { Principal } from '../principal.ts'
import type { IncomingFile } from './multipart-request.ts'

/** What a resolver knows of its request. */
export type GraphqlContext = {
  readonly principal: Principal
  readonly requestId: string
  /** Aborted when the client is gone, the login ended, the time is over or the server closes. */
  readonly signal: AbortSignal
  /** Whether the caller may ask for nothing but the operations of the admin UI. */
  readonly onlyPersisted: boolean
  /** Of a multipart request; null = it is none. */
  readonly file: IncomingFile | null
}
