import { KreError, MiB, type NatsAccess, SECOND_MS, toKreError } from '@kre/contracts/runtime'
import { createAccessSource } from './access-source.ts'
import { createHandOver, type HandOver } from './hand-over.ts'
import { bytesOf, type Data } from './outgoing.ts'
import type { CoreMessage } from './parser.ts'
import type { ServerInfo } from './server-info.ts'
import { createServerList, type Server } from './server-list.ts'
import { openSession, type Session } from './session.ts'
import { checkSubject } from './subject.ts'
import { createSubscriptions, type CoreSubscription } from './subscriptions.ts'

/** Credentials that are refused so often in a row are not tried again. */
const REFUSALS_MAX = 2
/**
 * A message that the server was handing over while the subscription ended may come behind the answer to the ping: so
 * long the former session is still heard.
 */
const FORMER_MS = 1 * SECOND_MS
/** Reasons that are remembered as told; servers have a few between them. */
const TOLD_MAX = 32
/** A computer that slept has credentials that are over: so long the next ones are waited for. */
const RENEWAL_WAIT_MS = 30 * SECOND_MS

export type CoreOptions = {
  /** From a try to the server's welcome, at most; a peer that says nothing is left then. 5 s by default. */
  readonly connectTimeoutMs?: number
  /** Between two life signs; after two missing ones the connection is given up. 20 s by default. */
  readonly pingIntervalMs?: number
  /** Most bytes that wait for the server to read them; 64 MiB by default. */
  readonly waitingBytesMax?: number
}

/** What a connection tells; a listener that throws is reported and does no harm. */
export type CoreEvents = {
  /** Subscriptions are in place at the server; on the first connection and on each later one. */
  onUp?(): void
  /** Whatever was under way is lost. A new connection is being tried, for ever. */
  onDown?(reason: KreError): void
  /** A try came to nothing: told once for each reason, until one leads to a connection. */
  onFailed?(reason: KreError): void
  /** It went over to newer credentials, without a loss. */
  onRenewed?(): void
  /** It ended for good: the credentials are refused. */
  onLost?(reason: KreError): void
  /** Something went wrong without an end: `permission-denied` with `details.subject`, or a receiver that threw. */
  onError?(error: KreError): void
}

/** A connection to NATS for messages without a store: publish and subscribe, in the order of the calls. */
export type CoreConnection = {
  /**
   * Sends in the same turn of the event loop, with everything else of that turn in one write. While the connection is
   * not up the message is lost, so callers ask `isUp` first. Pieces of more than 256 KiB must not be changed until `flush`.
   *
   * @param reply where an answer goes, or the news that nobody listens: a message of status 503 without data.
   * @param headers a whole block, from `NATS/1.0` to the empty line.
   * @param isKept no piece is changed until `flush`: those above 32 KiB are sent without a copy.
   * @throws KreError `invalid-argument` for an illegal subject, `resource-exhausted` for more than `maxPayload` or
   * when `waitingBytesMax` bytes wait already, `unimplemented` for headers that the server does not know.
   */
  publish(subject: string, data: Data, reply?: string, headers?: Uint8Array, isKept?: boolean): void
  /**
   * Survives reconnects; may be called at any time.
   *
   * @param options.queue each message goes to one of the subscriptions with the same queue.
   * @param options.onMessage called within the read; what it throws is reported by `onError`.
   * @throws KreError `invalid-argument` for an illegal subject or queue.
   */
  subscribe(
    subject: string,
    options: { queue?: string; onMessage: (message: CoreMessage) => void },
  ): CoreSubscription
  isUp(): boolean
  /** Start of the subjects that answers come to: `_INBOX`, or what the access says. */
  readonly inboxPrefix: string
  /** Largest message that the server takes, in bytes; 0 before the first connection. */
  maxPayload(): number
  /** Resolves when the server has taken all that was sent. @throws KreError `unavailable` when it can't be known. */
  flush(): Promise<void>
  /**
   * Resolves when it is up.
   *
   * @param timeoutMs without it, waits as long as it takes.
   * @throws KreError `deadline-exceeded` with the last failure as its cause, `unauthenticated` when it is lost,
   * `cancelled` when it is closed.
   */
  whenUp(timeoutMs?: number): Promise<void>
  /** Ends all subscriptions after what is under way to them, then as `flush`. Publishing goes on. */
  drain(): Promise<void>
  /** Ends it for good, after what was published. */
  close(): void
  /** @returns the end of listening. */
  listen(events: CoreEvents): () => void
}

/**
 * Connects, and connects again after each loss, for ever, until it is closed or the credentials are refused twice in
 * a row. Credentials that expire are replaced by those that appear in the access's file, over a further connection that
 * takes over without a loss. The first try starts in the next turn of the event loop, so that all can be wired before.
 *
 * @param name shown by the server in its lists of connections.
 * @throws KreError `invalid-argument` for addresses that are none.
 */
export function openCoreConnection(
  access: NatsAccess,
  name: string,
  options: CoreOptions = {},
): CoreConnection {
  const servers = createServerList(access.servers)
  const source = createAccessSource(access, (error) => report(toKreError(error)))
  const sessionOptions = {
    name,
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    pingIntervalMs: options.pingIntervalMs ?? 20_000,
    waitingBytesMax: options.waitingBytesMax ?? 64 * MiB,
  }
  const listeners = new Set<CoreEvents>()
  const waiters = new Set<{ resolve(): void; reject(reason: KreError): void }>()
  let session: Session | null = null
  /** It has handed over, and may still bring something. */
  let heard: { session: Session; timer: NodeJS.Timeout } | null = null
  let info: ServerInfo | null = null
  /** Where it is. */
  let server: Server | null = null
  /** To a session with newer credentials; null = none is under way. */
  let handOver: HandOver | null = null
  let isUp = false
  /** Why there will be no connection any more. */
  let over: KreError | null = null
  let refusals = 0
  let expiredAt = 0
  let failure: KreError | null = null
  const toldFailures = new Set<string>()
  let dialTimer: NodeJS.Timeout | undefined
  let renewTimer: NodeJS.Timeout | undefined

  const tell = (call: (events: CoreEvents) => void) => {
    for (const events of listeners) {
      try {
        call(events)
      } catch (error) {
        report(toKreError(error))
      }
    }
  }
  const report = (error: KreError) => {
    let isHeard = false
    for (const events of listeners) {
      if (events.onError === undefined) continue
      isHeard = true
      try {
        events.onError(error)
      } catch (thrown) {
        process.emitWarning(toKreError(thrown))
      }
    }
    if (!isHeard) process.emitWarning(error)
  }
  const subscriptions = createSubscriptions({
    lines(text) {
      // What the former session brings is lost from its end on: it has no subscriptions any more.
      if (handOver?.isHolding !== true) session?.lines(text)
      handOver?.next.lines(text)
    },
    roundTrip: () => flush(),
    onThrown: report,
  })

  const deliver = (sid: number, message: CoreMessage) => subscriptions.deliver(sid, message)
  const open = (where: Server): Session => {
    const own: Session = openSession(
      where,
      { ...sessionOptions, access: source.current() },
      {
        greeting: () => subscriptions.lines(),
        has: (sid) => subscriptions.has(sid),
        onMessage(sid, message) {
          if (handOver?.next === own) handOver.receive(sid, message)
          else deliver(sid, message)
        },
        onInfo(next) {
          info = next
          // The only server is used as long as it lets us, and so is one that says this from the start.
          if (isUp && next.isLameDuck && servers.size > 1)
            own.end(new KreError('unavailable', 'the NATS server is about to stop'))
        },
        onReady() {
          if (handOver?.next !== own) return onReady()
          takeOver(handOver).catch((error: unknown) => report(toKreError(error)))
        },
        onError: report,
        onEnd: (reason) => onEnd(own, reason),
      },
    )
    return own
  }
  const dial = () => {
    const { server: next, waitMs } = servers.next()
    dialTimer = setTimeout(() => {
      next.triedAt = performance.now()
      source.look()
      server = next
      session = open(next)
    }, waitMs)
  }
  const onReady = () => {
    isUp = true
    toldFailures.clear()
    refusals = 0
    expiredAt = 0
    for (const waiter of waiters) waiter.resolve()
    tell((events) => events.onUp?.())
  }
  /** A connection that is down takes the newest credentials when it is back. */
  const renew = () => {
    if (session === null || server === null || !isUp || handOver !== null) return
    handOver = createHandOver(open(server), deliver, sessionOptions.waitingBytesMax)
  }
  const takeOver = async (current: HandOver) => {
    const former = session
    if (former === null) return
    const isWhole = await current.begin(former, subscriptions.endLines())
    // Closed meanwhile, or the next session has ended: both are over then.
    if (handOver !== current) return
    handOver = null
    session = current.next
    current.release()
    if (isWhole) hear(former)
    // What it has not sent yet must not be sent later: its pieces may be changed once the next one is flushed.
    else former.end(notConnected(null))
    tell((events) => events.onRenewed?.())
    if (isWhole) return
    // What was under way over the former one may be lost.
    tell((events) => events.onDown?.(notConnected(null)))
    tell((events) => events.onUp?.())
  }
  const hear = (former: Session | null) => {
    if (heard !== null) {
      clearTimeout(heard.timer)
      heard.session.close()
    }
    heard =
      former === null
        ? null
        : { session: former, timer: setTimeout(() => hear(null), FORMER_MS).unref() }
  }
  const onEnd = (own: Session, reason: KreError) => {
    if (handOver?.next === own) {
      const wasHolding = handOver.isHolding
      handOver.abandon()
      handOver = null
      // The former session has no subscriptions any more: both are left.
      if (wasHolding) session?.end(reason)
      else {
        report(reason)
        // The credentials in use go on for a while, and their end would cost what is under way.
        renewTimer = setTimeout(renew, sessionOptions.connectTimeoutMs).unref()
      }
      return
    }
    // The next one goes on for it.
    if (own !== session || handOver?.isHolding === true) return
    const wasUp = isUp
    clearTimeout(renewTimer)
    handOver?.next.close()
    handOver = null
    session = null
    isUp = false
    failure = reason
    countRefusals(reason)
    subscriptions.disconnected()
    if (refusals < REFUSALS_MAX) dial()
    else finish(reason)
    if (wasUp) tell((events) => events.onDown?.(reason))
    else if (!toldFailures.has(reason.message) && toldFailures.size < TOLD_MAX) {
      toldFailures.add(reason.message)
      tell((events) => events.onFailed?.(reason))
    }
    if (over === reason) tell((events) => events.onLost?.(reason))
  }
  const countRefusals = ({ code }: KreError) => {
    if (code !== 'unauthenticated') refusals = 0
    else if (!source.isExpired()) refusals++
    else {
      expiredAt ||= performance.now()
      if (performance.now() - expiredAt > RENEWAL_WAIT_MS) refusals = REFUSALS_MAX
    }
  }
  const finish = (reason: KreError) => {
    over = reason
    unwatch()
    for (const waiter of waiters) waiter.reject(reason)
  }
  const flush = (): Promise<void> => {
    if (handOver?.isHolding === true) return handOver.over.then(flush)
    if (session !== null && isUp) return session.roundTrip()
    return Promise.reject(over ?? notConnected(failure))
  }

  const unwatch = source.watch(renew)
  dial()
  return {
    inboxPrefix: access.inboxPrefix ?? '_INBOX',
    publish(subject, data, reply = '', headers, isKept) {
      if (!isUp || session === null || info === null) return
      const bytes = bytesOf(data) + (headers?.length ?? 0)
      if (bytes > info.payloadBytesMax) throw tooLarge(subject, bytes, info.payloadBytesMax)
      if (headers !== undefined && !info.hasHeaders)
        throw new KreError('unimplemented', 'the NATS server knows no headers: use 2.2 or newer')
      if (handOver?.isHolding !== true)
        return session.message(subject, reply, data, headers ?? null, isKept)
      checkSubject(subject, 'subject')
      if (reply !== '') checkSubject(reply, 'reply subject')
      handOver.publish(subject, reply, data, headers ?? null)
    },
    subscribe: (subject, { queue = '', onMessage }) => subscriptions.add(subject, queue, onMessage),
    isUp: () => isUp,
    maxPayload: () => info?.payloadBytesMax ?? 0,
    flush,
    async whenUp(timeoutMs) {
      if (isUp) return
      if (over !== null) throw over
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const waiter = { resolve, reject }
      const giveUp = () => {
        const text = `no connection to NATS (${access.servers.join(', ')}) within ${timeoutMs} ms`
        const why = failure === null ? '' : `: ${failure.message}`
        reject(new KreError('deadline-exceeded', text + why, {}, { cause: failure }))
      }
      const timer = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs)
      waiters.add(waiter)
      try {
        await promise
      } finally {
        clearTimeout(timer)
        waiters.delete(waiter)
      }
    },
    async drain() {
      await subscriptions.drain()
      await flush()
    },
    close() {
      if (over !== null) return
      finish(new KreError('cancelled', 'the connection to NATS was closed'))
      isUp = false
      clearTimeout(dialTimer)
      clearTimeout(renewTimer)
      subscriptions.clear()
      if (handOver?.isHolding === true) handOver.release()
      handOver?.next.close()
      handOver = null
      hear(null)
      session?.close()
      session = null
    },
    listen(events) {
      listeners.add(events)
      return () => void listeners.delete(events)
    },
  }
}

function notConnected(cause: KreError | null): KreError {
  return new KreError('unavailable', 'there is no connection to NATS', {}, { cause })
}

function tooLarge(subject: string, bytes: number, bytesMax: number): KreError {
  return new KreError(
    'resource-exhausted',
    `the message to ${subject} has ${bytes} bytes; the NATS server takes at most ${bytesMax}. Send a smaller one, or raise max_payload`,
    { subject, bytes, bytesMax },
  )
}
