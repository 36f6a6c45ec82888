import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '../principal.ts'

/** One request on its way through a route. */
export type Exchange = {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly url: URL
  /** Named parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly requestId: string
  /** Aborted when the client is gone or the server closes. */
  readonly signal: AbortSignal
  /** Tells a client that waits with its body (`Expect: 100-continue`) to send it. */
  readonly sendContinue: () => void
}

type Handle<E> = (exchange: E) => Promise<void>
type RouteHead = {
  readonly method: 'DELETE' | 'GET' | 'HEAD' | 'OPTIONS' | 'PATCH' | 'POST' | 'PUT'
  readonly path: string
}

/** `signed-in` needs a login or a token, with the rights that the table of operations asks for; `open` is served to everybody. */
export type Route = RouteHead &
  (
    | { readonly access: 'open'; readonly handle: Handle<Exchange> }
    | {
        readonly access: 'signed-in'
        readonly handle: Handle<Exchange & { readonly principal: Principal }>
      }
  )
