import type { WebSocket } from 'ws'
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws'

/** Subprotocol of subscriptions-transport-ws, which clients of KRE and older Apollo clients speak. */
export const LEGACY_PROTOCOL = 'graphql-ws'

/** Words of the old protocol for what the new one has, too. */
const TO_NEW: ReadonlyMap<unknown, string> = new Map([
  ['start', 'subscribe'],
  ['stop', 'complete'],
])
const TO_OLD: ReadonlyMap<unknown, string> = new Map([['next', 'data']])
/** The old client's farewell. */
const TERMINATE = 'connection_terminate'
const CLOSE_NORMAL = 1000

/**
 * The socket of a client that speaks the old protocol, as it looks to who speaks the new one: messages are translated on
 * their way, both ways.
 */
export function translateLegacy(socket: WebSocket): WebSocket {
  const listen =
    (method: 'on' | 'once') =>
    (event: string, listener: (...args: unknown[]) => void): WebSocket =>
      socket[method](
        event,
        event === 'message' ? (data: Buffer) => hear(socket, data.toString(), listener) : listener,
      )
  const own: Partial<Record<PropertyKey, unknown>> = {
    protocol: GRAPHQL_TRANSPORT_WS_PROTOCOL,
    on: listen('on'),
    once: listen('once'),
    send: (text: string, done?: (error?: Error) => void) => socket.send(toOld(text), done),
  }
  return new Proxy(socket, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name]
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

function hear(socket: WebSocket, text: string, listener: (text: string) => void): void {
  const message = parse(text)
  // Nonsense is refused by who speaks the protocol.
  if (message === null) return listener(text)
  if (message['type'] === TERMINATE) return socket.close(CLOSE_NORMAL)
  const { payload, ...rest } = message
  const type = TO_NEW.get(message['type']) ?? message['type']
  // Old clients send `null` where they have nothing to say.
  listener(JSON.stringify({ ...rest, type, ...(payload === null ? {} : { payload }) }))
}

function toOld(text: string): string {
  const message = parse(text)
  const type = TO_OLD.get(message?.['type'])
  return type === undefined ? text : JSON.stringify({ ...message, type })
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
