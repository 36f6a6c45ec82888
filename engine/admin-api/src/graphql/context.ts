import type { Principal } from '../principal.ts'

/** What a resolver knows of its request. */
export type GraphqlContext = {
  readonly principal: Principal
  readonly requestId: string
  /** Aborted when the client is gone, the login ended or the server closes. */
  readonly signal: AbortSignal
}
