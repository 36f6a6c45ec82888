/**
 * All subscriptions of this tab over one WebSocket. Event streams over HTTP/1.1 would take up the six connections that
 * a browser has for an origin: two windows with three streams each, and nothing else would load.
 */
import { createClient, type Client } from 'graphql-ws/client'
import { ApiError } from '../api/api-error.ts'
import { socketUrl } from '../api/app-base.ts'
import { named } from '../api/run-operation.ts'
import type { TypedDocument } from '../gen/documents.ts'
import { createStore } from '../ui/store.ts'

export type LiveState = {
  readonly kind: 'idle' | 'live' | 'lost'
  /** Since when; milliseconds since 1970. */
  readonly since: number
}

/** Longest pause between two tries to connect, in ms. */
const RETRY_MS_MAX = 8_000
const KEEP_ALIVE_MS = 10_000
const PONG_MS = 5_000
/** A view that is left for another one keeps the socket. */
const LAZY_CLOSE_MS = 5_000

export const liveState = createStore<LiveState>({ kind: 'idle', since: Date.now() })

/** Runs after a connection that was lost is there again: what happened meanwhile was not told. */
let onReturn = (): void => undefined
/** Runs when the connection is lost: it may be the login that ended. */
let onLost = (): void => undefined
export function setLiveListeners(listeners: { onReturn: () => void; onLost: () => void }): void {
  onReturn = listeners.onReturn
  onLost = listeners.onLost
}

let client: Client | null = null

/**
 * Events of a subscription until the returned function is called. It begins again by itself after the connection was
 * lost; `onReturn` tells then that there was a gap.
 */
export function subscribe<Result, Variables>(
  document: TypedDocument<Result, Variables>,
  variables: Variables,
  sink: { next: (result: Result) => void; error: (error: ApiError) => void },
): () => void {
  client ??= openClient()
  return client.subscribe<Result>(
    {
      // The protocol wants one; the digest says which.
      query: '',
      ...named(document),
      variables: variables as Record<string, unknown>,
    },
    {
      next({ data, errors }) {
        const error = errors?.[0]
        if (error !== undefined) sink.error(new ApiError(codeOf(error.extensions), error.message))
        else if (data !== undefined && data !== null) sink.next(data)
      },
      error(problem) {
        const first = Array.isArray(problem)
          ? (problem[0] as { message?: string } | undefined)
          : null
        sink.error(new ApiError('INTERNAL', first?.message ?? 'the connection was refused'))
      },
      complete: () => undefined,
    },
  )
}

/** `extensions.code`, where the engine gave one. */
function codeOf(extensions: Readonly<Record<string, unknown>> | undefined): string {
  const code = extensions?.['code']
  return typeof code === 'string' ? code : 'INTERNAL'
}

function openClient(): Client {
  let pong: ReturnType<typeof setTimeout> | undefined
  let socket: WebSocket | null = null
  let wasLost = false
  return createClient({
    url: socketUrl('graphql'),
    lazyCloseTimeout: LAZY_CLOSE_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    async retryWait(retries) {
      const pauseMs = Math.min(RETRY_MS_MAX, 250 * 2 ** retries) * (0.75 + Math.random() / 2)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    },
    keepAlive: KEEP_ALIVE_MS,
    on: {
      connected(opened) {
        socket = opened as WebSocket
        liveState.set({ kind: 'live', since: Date.now() })
        if (wasLost) onReturn()
        wasLost = false
      },
      ping(received) {
        // A connection that is cut without a word is found by its silence.
        if (!received) pong = setTimeout(() => socket?.close(4408, 'no pong'), PONG_MS)
      },
      pong(received) {
        if (received) clearTimeout(pong)
      },
      closed(event) {
        clearTimeout(pong)
        const isOwn = (event as CloseEvent).code === 1000
        if (isOwn) {
          liveState.set({ kind: 'idle', since: Date.now() })
          return
        }
        if (!wasLost) liveState.set({ kind: 'lost', since: Date.now() })
        wasLost = true
        onLost()
      },
    },
  })
}
