/** One subscription to log lines, as a page holds it: by server-sent events, or with others on one WebSocket. */
import { request, type IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'

export type Subscriber = {
  /** Numbers in the lines that came, in their order. */
  readonly seen: number[]
  /** When each came, in the milliseconds of `performance.now()`. */
  readonly atMs: number[]
  /** Lines that the engine says it has left out. */
  leftOut: number
  isEnded: boolean
  /** Takes nothing any more: it does not see its own end, either. */
  stall(): void
  /** Takes what is there. */
  goOn(): void
  close(): void
}
type Access = { adminUrl: string; token: string }
type Data = { data?: { watchNodeLogs?: { number: string; leftOut: number } } }

const DOCUMENT = `subscription ($runtimeId: ID!, $version: String!, $filters: LogFilters!) {
  watchNodeLogs(runtimeId: $runtimeId, versionName: $version, filters: $filters) { number: message leftOut MORE } }`
/** As often as a document may ask for a field under another name. */
const LARGE = Array.from({ length: 13 }, (_, i) => `m${i}: message`).join(' ')

export type Watched = { runtimeId: string; version: string }
/** @param isLarge each event has its line many times over. */
const bodyOf = ({ runtimeId, version }: Watched, isLarge = false) => ({
  query: DOCUMENT.replace('MORE', isLarge ? LARGE : ''),
  variables: { runtimeId, version, filters: { startDate: '2020-01-01T00:00:00Z' } },
})

type Controls = Pick<Subscriber, 'close' | 'stall' | 'goOn'>

function newSubscriber(controls: Controls): Subscriber {
  return { seen: [], atMs: [], leftOut: 0, isEnded: false, ...controls }
}

/** The line begins with its number. */
function take(subscriber: Subscriber, { data }: Data): void {
  const line = data?.watchNodeLogs
  if (line === undefined) return
  subscriber.seen.push(Number.parseInt(line.number, 10))
  subscriber.atMs.push(performance.now())
  subscriber.leftOut += line.leftOut
}

export async function subscribeByEvents(
  { adminUrl, token }: Access,
  watched: Watched,
  isLarge = false,
): Promise<Subscriber> {
  const req = request(new URL('/graphql', adminUrl), {
    method: 'POST',
    agent: false,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
    },
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    req.on('response', resolve)
    req.on('error', reject)
  })
  req.end(JSON.stringify(bodyOf(watched, isLarge)))
  const res = await answered
  if (res.statusCode !== 200) throw new Error(`a subscription was answered ${res.statusCode}`)
  const subscriber = newSubscriber({
    close: () => req.destroy(),
    stall: () => res.pause(),
    goOn: () => res.resume(),
  })
  let text = ''
  res.setEncoding('utf8')
  res.on('data', (chunk: string) => {
    const parts = (text + chunk).split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts) {
      const at = part.indexOf('data: ')
      if (at >= 0 && part.length > at + 6) take(subscriber, JSON.parse(part.slice(at + 6)) as Data)
    }
  })
  // Being cut is what some of them are for.
  res.on('error', () => undefined)
  res.on('close', () => (subscriber.isEnded = true))
  return subscriber
}

/** So many subscriptions on one socket. */
export async function subscribeBySocket(
  { adminUrl, token }: Access,
  watched: Watched,
  count: number,
): Promise<Subscriber[]> {
  const address = new URL('/graphql', adminUrl.replace('http', 'ws'))
  const headers = { authorization: `Bearer ${token}` }
  const socket = new WebSocket(address, 'graphql-transport-ws', { headers })
  const subscribers = Array.from({ length: count }, () =>
    newSubscriber({
      close: () => socket.close(),
      stall: () => socket.pause(),
      goOn: () => socket.resume(),
    }),
  )
  const say = (message: object) => socket.send(JSON.stringify(message))
  await new Promise<void>((resolve, reject) => {
    socket.on('open', () => say({ type: 'connection_init' }))
    socket.on('error', reject)
    socket.on('close', () => {
      for (const subscriber of subscribers) subscriber.isEnded = true
    })
    // The library hands texts over as one buffer each.
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      const message = JSON.parse(text) as { type: string; id?: string; payload?: Data }
      if (message.type === 'connection_ack') resolve()
      if (message.type === 'ping') say({ type: 'pong' })
      const subscriber = subscribers[Number(message.id)]
      if (message.type === 'next' && subscriber !== undefined)
        take(subscriber, message.payload ?? {})
      if (message.type === 'error') reject(new Error(text))
    })
  })
  for (let id = 0; id < count; id++)
    say({ type: 'subscribe', id: String(id), payload: bodyOf(watched) })
  return subscribers
}
