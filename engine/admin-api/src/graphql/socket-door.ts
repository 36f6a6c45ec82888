import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { KiB, SECOND_MS, toKreError } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { GraphQLError, type ExecutionResult } from 'graphql'
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer, type WebSocket } from 'ws'
import { isAllowedHost } from '../http/allowed-host.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { isForeign } from '../http/request-origin.ts'
import type { Principal } from '../principal.ts'
import type { Authenticate } from '../sign-in/authenticate.ts'
import type { RateLimits } from '../sign-in/rate-limits.ts'
import { GRAPHQL_PATH, type Graphql } from './create-graphql.ts'
import { LEGACY_PROTOCOL, translateLegacy } from './legacy-socket.ts'
import { callerKey, createOpenStreams, type OpenStreams } from './open-streams.ts'
import type { EnterRun } from './run-limits.ts'
import { toGraphqlError } from './to-graphql-error.ts'

/** A message holds one document with its variables. */
const MESSAGE_BYTES_MAX = 256 * KiB
/** The first of these that a client offers is spoken. */
const PROTOCOLS = [GRAPHQL_TRANSPORT_WS_PROTOCOL, LEGACY_PROTOCOL]
const HELLO_MS = 3 * SECOND_MS
/** A socket that answers no ping for so long is cut. */
const PING_MS = 12 * SECOND_MS
/** graphql-ws closes with codes of its own; this is the one for a login that ended. */
const CLOSE_FORBIDDEN = 4403

export type SocketDoorDeps = {
  graphql: Graphql
  openStreams: OpenStreams
  principals: Parameters<typeof createOpenStreams>[0]
  enterRun: EnterRun
  /** Whether a cookie is good for nothing but the operations of the admin UI. */
  persistedOnly: boolean
  authenticate: Authenticate
  rateLimits: RateLimits
  publicUrl: () => string
  ownOrigins: (req: IncomingMessage) => string[]
  addressOf: (req: IncomingMessage) => string
  logger: Logger
}

export type SocketDoor = AsyncDisposable & {
  /** Takes over a connection that asks to become a WebSocket, or refuses it as HTTP. */
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void
}

type Extra = {
  readonly principal: Principal
  readonly onlyPersisted: boolean
  readonly signal: AbortSignal
}

/**
 * Subscriptions over WebSockets, by the protocol of npm graphql-ws or the one before it, at the address of GraphQL. Who
 * connects proves himself by the headers of the upgrade; a browser's cookie counts only with an origin of ours.
 */
export function createSocketDoor(deps: SocketDoorDeps): SocketDoor {
  const { graphql, openStreams, logger } = deps
  /** Sockets count by themselves: an idle one costs, too. */
  const openSockets = createOpenStreams(deps.principals)
  const extras = new WeakMap<WebSocket, Extra>()
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  })
  const handling = useServer<Record<string, unknown>, Record<string, unknown>>(
    {
      connectionInitWaitTimeout: HELLO_MS,
      async onSubscribe({ extra }, _id, { query, extensions, variables, operationName }) {
        const { principal, onlyPersisted, signal } = extraOf(extra.socket)
        const requestId = randomUUID()
        try {
          const leave = await deps.enterRun(callerKey(principal), signal)
          try {
            const context = { principal, requestId, signal, onlyPersisted, file: null }
            const prepared = await graphql.prepareSubscription(
              {
                query,
                extensions,
                variables: variables ?? {},
                operationName: operationName ?? null,
              },
              context,
            )
            if ('args' in prepared) return Object.assign(prepared.args, { rootValue: prepared })
            return prepared
          } finally {
            leave()
          }
        } catch (error) {
          return [report(error, requestId)]
        }
      },
      async subscribe(args) {
        const { subscribe, args: own } = args.rootValue as Awaited<
          ReturnType<Graphql['prepareSubscription']>
        > & { subscribe: (args: unknown) => unknown; args: object }
        const { principal, requestId } = args.contextValue as Extra & { requestId: string }
        let leave: () => void
        try {
          leave = openStreams.enter(principal)
        } catch (error) {
          return { errors: [report(error, requestId)] }
        }
        const events = await subscribe({ ...own, rootValue: undefined })
        if (!isAsyncIterator(events)) {
          leave()
          return events as ExecutionResult
        }
        return checked(
          events as AsyncIterator<ExecutionResult>,
          () => openStreams.isAsBefore(principal),
          leave,
        )
      },
    },
    server,
    PING_MS,
  )
  // graphql-ws would choose among the protocols that it speaks itself.
  server.options.handleProtocols = (offered) =>
    PROTOCOLS.find((protocol) => offered.has(protocol)) ?? false

  function extraOf(socket: WebSocket): Extra {
    const extra = extras.get(socket)
    if (extra === undefined) throw new GraphQLError('the socket is not known')
    return extra
  }

  function report(thrown: unknown, requestId: string): GraphQLError {
    if (thrown instanceof GraphQLError) return thrown
    const error = toKreError(thrown)
    if (error.code === 'internal' || error.code === 'unavailable')
      logger.error({ requestId, err: error.cause ?? error }, 'graphql over a socket failed')
    return toGraphqlError(error, requestId)
  }

  async function admit(req: IncomingMessage): Promise<Omit<Extra, 'signal'>> {
    if (!isAllowedHost(req.headers.host, deps.publicUrl(), req.socket.localAddress))
      throw refusal(421, 'this API does not answer under this host name')
    const path = (req.url ?? '').split('?')[0]
    const authentication = await deps.authenticate(req.headers)
    switch (authentication.kind) {
      case 'none':
        throw refusal(401, 'sign in first')
      case 'no-login':
      case 'wrong-token':
        throw (await deps.rateLimits.wrongCredential(deps.addressOf(req))) > 0
          ? refusal(429, 'too many wrong credentials came from your address')
          : refusal(401, 'sign in first')
      case 'cookie':
        // A page of anybody may open a socket to anywhere, and the browser sends the cookie along.
        if (
          req.headers.origin === undefined ||
          isForeign({ headers: req.headers, ownOrigins: deps.ownOrigins(req) })
        )
          throw refusal(403, 'the request may come from a page of another site')
        break
      case 'token':
        break
    }
    if (path !== GRAPHQL_PATH) throw refusal(404, 'there is nothing at this address')
    if (!PROTOCOLS.some((protocol) => offers(req, protocol)))
      throw refusal(400, `ask for the subprotocol ${GRAPHQL_TRANSPORT_WS_PROTOCOL}`)
    const onlyPersisted = deps.persistedOnly && authentication.kind === 'cookie'
    return { principal: authentication.principal, onlyPersisted }
  }

  /** Counts the socket, and closes it when its login ends. */
  function watch(socket: WebSocket, caller: Omit<Extra, 'signal'>, leave: () => void): void {
    const gone = new AbortController()
    extras.set(socket, { ...caller, signal: gone.signal })
    const unwatch = openStreams.watch(caller.principal, () =>
      socket.close(CLOSE_FORBIDDEN, 'Forbidden'),
    )
    socket.once('close', () => {
      unwatch()
      leave()
      gone.abort()
    })
  }

  return {
    upgrade(req, socket, head) {
      socket.on('error', () => socket.destroy())
      admit(req).then(
        (caller) => {
          const leave = tryEnter(openSockets, caller.principal)
          if (leave === null) {
            refuse(socket, 429)
            return
          }
          server.handleUpgrade(req, socket, head, (raw) => {
            const opened = raw.protocol === LEGACY_PROTOCOL ? translateLegacy(raw) : raw
            watch(opened, caller, leave)
            server.emit('connection', opened, req)
            // A broken frame closes the socket, and that is all there is to it; graphql-ws would write to stderr.
            opened.removeAllListeners('error').on('error', () => undefined)
          })
          // A handshake that is no good ends the connection before there is a socket to tell of it.
          socket.once('close', leave)
        },
        (thrown: unknown) => {
          const error = toKreError(thrown)
          if (!(error instanceof HttpProblem)) logger.error({ err: error }, 'an upgrade failed')
          refuse(socket, error instanceof HttpProblem ? error.status : 503)
        },
      )
    },
    async [Symbol.asyncDispose]() {
      await handling.dispose()
      for (const socket of server.clients) socket.terminate()
    },
  }
}

/** Once more before each event: what happened after the caller lost his rights is not his. */
function checked(
  events: AsyncIterator<ExecutionResult>,
  isAllowed: () => Promise<boolean>,
  leave: () => void,
): AsyncGenerator<ExecutionResult, void, undefined> {
  const end = async (): Promise<IteratorReturnResult<undefined>> => {
    leave()
    await events.return?.()
    return { done: true, value: undefined }
  }
  const iterator: AsyncGenerator<ExecutionResult, void, undefined> = {
    async next() {
      const event = await events.next()
      if (event.done === true || !(await isAllowed())) return end()
      return { done: false, value: event.value }
    },
    return: end,
    async throw(error: unknown) {
      await end()
      throw error
    },
    [Symbol.asyncIterator]: () => iterator,
    [Symbol.asyncDispose]: async () => void (await end()),
  }
  return iterator
}

function isAsyncIterator(value: unknown): value is AsyncIterator<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

function offers({ headers }: IncomingMessage, protocol: string): boolean {
  const offered = headers['sec-websocket-protocol']?.split(',') ?? []
  return offered.some((one) => one.trim() === protocol)
}

function tryEnter(sockets: OpenStreams, principal: Principal): (() => void) | null {
  try {
    const leave = sockets.enter(principal)
    let isIn = true
    return () => {
      if (isIn) leave()
      isIn = false
    }
  } catch {
    return null
  }
}

function refusal(status: number, message: string): HttpProblem {
  return new HttpProblem('invalid-argument', { status, wireCode: 'refused' }, message)
}

/** There is no response object on an upgrade: the status line is the answer. */
function refuse(socket: Duplex, status: number): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  )
}
