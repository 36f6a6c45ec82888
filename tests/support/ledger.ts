/** A foreign gRPC client that asks without a pause and keeps the final status of every request it ever sent. */
import { setTimeout as sleep } from 'node:timers/promises'
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js'

export type Ticket = { id: string; command: string; trail: string }

/** Of one request: its answer, or the gRPC status and message that it failed with. */
export type Outcome =
  | { ok: true; ticket: Ticket; ms: number }
  | { ok: false; code: number; message: string; ms: number }

export function encodeTicket({ id, command, trail }: Ticket): Buffer {
  const writer = new BinaryWriter()
  writer.tag(1, 2).string(id).tag(2, 2).string(command).tag(3, 2).string(trail)
  return Buffer.from(writer.finish())
}

export function decodeTicket(bytes: Uint8Array): Ticket {
  const ticket = { id: '', command: '', trail: '' }
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag()
    if (field === 1) ticket.id = reader.string()
    else if (field === 2) ticket.command = reader.string()
    else if (field === 3) ticket.trail = reader.string()
    else reader.skip(type)
  }
  return ticket
}

export type RawClient = Disposable & {
  /** One call with a raw request; never rejects. */
  call(request: Buffer, options?: { path?: string; deadlineMs?: number }): Promise<Outcome>
  ask(ticket: Partial<Ticket>, deadlineMs?: number): Promise<Outcome>
}

const PATH = '/faults.Entrypoint/Run'
/** Longer than KRE lets a request wait, for a computer that has much else to do. */
const DEADLINE_MS = 40_000

export function connectRaw(address: string): RawClient {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 200,
  })
  const raw = (bytes: Buffer) => bytes
  const call: RawClient['call'] = (request, { path = PATH, deadlineMs = DEADLINE_MS } = {}) =>
    new Promise((resolve) => {
      const began = performance.now()
      client.makeUnaryRequest(
        path,
        raw,
        raw,
        request,
        { deadline: Date.now() + deadlineMs },
        (error: ServiceError | null, answer?: Buffer) => {
          const ms = performance.now() - began
          if (error !== null || answer === undefined)
            resolve({
              ok: false,
              code: error?.code ?? status.UNKNOWN,
              message: error?.details ?? '',
              ms,
            })
          else resolve({ ok: true, ticket: decodeTicket(answer), ms })
        },
      )
    })
  return {
    call,
    ask: ({ id = 'one', command = '', trail = '' }, deadlineMs = DEADLINE_MS) =>
      call(encodeTicket({ id, command, trail }), { deadlineMs }),
    [Symbol.dispose]: () => client.close(),
  }
}

export type Tally = {
  sent: number
  answered: number
  /** Answers that are not the request's own, or did not pass all nodes. */
  wrong: Ticket[]
  /** Failures as `CODE: message`, with how often. */
  failed: Record<string, number>
  failures: number
  /** Requests without any final status, long after their deadline. */
  silent: number
  /** Longest time between two answers, in ms. */
  longestGapMs: number
  /** Longest that one answered request took, in ms. */
  slowestMs: number
}

/** Asks `perSecond` times a second until it is told to stop; `tally` stops it and waits for every request's end. */
export function startLoad(
  client: RawClient,
  options: { perSecond: number; trail: string; deadlineMs?: number; command?: string },
): { stop(): void; tally(): Promise<Tally>; answered(): number } {
  const { perSecond, trail, deadlineMs = DEADLINE_MS, command = '' } = options
  const tally: Tally = {
    sent: 0,
    answered: 0,
    wrong: [],
    failed: {},
    failures: 0,
    silent: 0,
    longestGapMs: 0,
    slowestMs: 0,
  }
  const open = new Set<Promise<void>>()
  let lastAnswer = performance.now()
  let stopped = false

  const send = () => {
    const id = `request-${++tally.sent}`
    const done = client.ask({ id, command }, deadlineMs).then((outcome) => {
      open.delete(done)
      if (!outcome.ok) {
        const text = `${status[outcome.code]}: ${outcome.message}`
        tally.failed[text] = (tally.failed[text] ?? 0) + 1
        tally.failures += 1
        return
      }
      const now = performance.now()
      tally.longestGapMs = Math.max(tally.longestGapMs, now - lastAnswer)
      tally.slowestMs = Math.max(tally.slowestMs, outcome.ms)
      lastAnswer = now
      tally.answered += 1
      if (outcome.ticket.id !== id || outcome.ticket.trail !== trail)
        tally.wrong.push(outcome.ticket)
    })
    open.add(done)
  }
  const began = performance.now()
  const pacing = (async () => {
    while (!stopped) {
      const due = Math.floor(((performance.now() - began) * perSecond) / 1_000)
      while (tally.sent < due) send()
      await sleep(5)
    }
  })()

  return {
    answered: () => tally.answered,
    stop() {
      stopped = true
    },
    async tally() {
      stopped = true
      await pacing
      const patience = new AbortController()
      await Promise.race([
        Promise.all(open),
        sleep(deadlineMs + 5_000, undefined, { signal: patience.signal }).catch(() => undefined),
      ])
      patience.abort()
      return { ...tally, silent: open.size }
    },
  }
}
