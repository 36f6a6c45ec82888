/** The servers of an access, each with the time before which it is not tried again. */
import { KreError } from '@kre/contracts/runtime'

export type ServerAddress = { readonly host: string; readonly port: number }
export type Server = ServerAddress & {
  /** It wants TLS, so a connection that expects none is of no use. */
  hasTls: boolean
  /** When it was tried last, on the clock of `performance.now()`. */
  triedAt: number
}

const DEFAULT_PORT = 4222
/** Between two tries of a server; the random part keeps the processes of a computer from coming all at once. */
const WAIT_MS = 100
const JITTER_MS = 100

export type ServerList = {
  /** The next one in turn, and how long to wait before it is tried, in ms. */
  next(): { server: Server; waitMs: number }
  readonly size: number
}

/** @throws KreError `invalid-argument` for an address that is none. */
export function createServerList(addresses: readonly string[]): ServerList {
  if (addresses.length === 0)
    throw new KreError('invalid-argument', 'the NATS access names no server: it needs at least one')
  const servers = shuffled(addresses.map(parseAddress)).map((address): Server => ({
    ...address,
    hasTls: false,
    triedAt: -Infinity,
  }))
  let turn = -1
  return {
    size: servers.length,
    next() {
      turn = (turn + 1) % servers.length
      const server = servers[turn] as Server
      const readyAt = server.triedAt + WAIT_MS + Math.random() * JITTER_MS
      return { server, waitMs: Math.max(0, readyAt - performance.now()) }
    },
  }
}

/** `host`, `host:port`, `nats://host:port`, `[::1]:4222`. @throws KreError `invalid-argument`. */
export function parseAddress(text: string): ServerAddress {
  const match = /^(?:[a-z]+:\/\/)?(?:\[([\da-f:.]+)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?\/?$/i.exec(
    text.trim(),
  )
  const port = Number(match?.[3] ?? DEFAULT_PORT)
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || port < 1 || port > 65_535)
    throw new KreError(
      'invalid-argument',
      `${JSON.stringify(text)} is no address of a NATS server: write host:port`,
    )
  return { host, port }
}

function shuffled<T>(items: readonly T[]): T[] {
  const mixed = [...items]
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T]
  }
  return mixed
}
