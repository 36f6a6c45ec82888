import { HOUR_MS, KreError, toKreError, type ErrorCode } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { AuditLink, AuditStore } from '@kre/store'
import {
  BODY_BYTES_MAX,
  parseIntentBody,
  type ActivityVar,
  type IntentBody,
  type OutcomeBody,
} from './audit-record.ts'
import type { ActivityType } from './activity-types.ts'
import { bounded } from './bounded.ts'
import type { Chain, NewLink } from './chain.ts'
import { visibleText } from './visible-text.ts'

/** Longer than anything takes that is audited: an intent of another engine that is older has lost its engine. */
const ABANDONED_MS = HOUR_MS
/** Intents that are closed in one go at a start. */
const OPEN_INTENTS_MAX = 1000
/** Outcomes that wait for a store which can't be written; more than requests are under way at once. */
const UNSETTLED_MAX = 1000
/** Lists of users are the longest; a longer one ends in `…`. */
const VAR_CHARS_MAX = 8192

/** What somebody is about to do. Texts may be a caller's own: they are made safe here. */
export type Intent = Omit<IntentBody, 'engine'> & {
  /** E-mail in lower case; empty = nobody proved who he is. */
  actor: string
  type: ActivityType
  runtimeId: string | null
  versionId: string | null
}

/** What became of it. What is not given stays as the intent says it. */
export type Done = Partial<Pick<Intent, 'actor' | 'principal' | 'versionId'>> & {
  before?: unknown
  after?: unknown
  rows?: readonly (readonly ActivityVar[])[]
  /** False = refused because the caller may not. */
  isAllowed?: boolean
}

export type AuditEntry = {
  /** Never throws: an outcome that can't be written is kept and written before the next intent. */
  succeed(done?: Done): Promise<void>
  /** @param error decides between refused and failed; its message is not kept, because it may quote a secret. */
  fail(error: unknown, done?: Done): Promise<void>
}

export type Audit = {
  /**
   * Writes down what is about to be done. Whoever begins must succeed or fail, once.
   *
   * @throws KreError `unavailable`, `resource-exhausted`: it can't be written, so it must not be done.
   */
  begin(intent: Intent): Promise<AuditEntry>
  /** Closes what an engine that died left open, as `unknown`; returns how many. */
  closeAbandoned(): Promise<number>
}

export type AuditDeps = {
  audit: Pick<AuditStore, 'openIntents'>
  chain: Chain
  now: () => Date
  logger: Logger
  /** Tells engines on one store apart; the same after a restart. */
  engine: string
}

/** Every change of the engine's state goes through `begin`: first the intent, then the effect, then the outcome. */
export function createAudit(deps: AuditDeps): Audit {
  const { chain, now, logger, engine } = deps
  const unsettled: NewLink[] = []
  let flushing: Promise<void> = Promise.resolve()

  async function flush(): Promise<void> {
    for (let link = unsettled[0]; link !== undefined; link = unsettled[0]) {
      await appendOutcome(deps, link)
      unsettled.shift()
    }
  }

  async function settle(link: NewLink): Promise<void> {
    try {
      await appendOutcome(deps, link)
    } catch (error) {
      logger.error(
        { err: error, intentSeq: link.intentSeq, operation: link.type },
        'the outcome of an operation could not be written to the audit log yet',
      )
      unsettled.push(link)
    }
  }

  return {
    async begin(intent) {
      if (unsettled.length >= UNSETTLED_MAX) throw closed(new Error('too many outcomes wait'))
      const body: IntentBody = {
        operation: intent.operation,
        requestId: intent.requestId,
        engine,
        principal: intent.principal,
        address: intent.address,
        userAgent: String(bounded(intent.userAgent)),
        resource: bounded(intent.resource) as IntentBody['resource'],
        args: bounded(intent.args) as IntentBody['args'],
        comment: String(bounded(intent.comment)),
      }
      try {
        flushing = flushing.then(flush, flush)
        await flushing
        const link = await chain.append({
          kind: 'intent',
          intentSeq: null,
          at: now(),
          actor: intent.actor,
          type: intent.type,
          runtimeId: idOf(intent.runtimeId),
          versionId: idOf(intent.versionId),
          body: fitting(body),
        })
        return {
          succeed: (done = {}) => settle(outcomeOf(link, body, SUCCEEDED, done, now())),
          fail: (error, done = {}) =>
            settle(outcomeOf(link, body, verdictOn(error, done), done, now())),
        }
      } catch (error) {
        throw closed(error)
      }
    },

    async closeAbandoned() {
      for (let closed = 0; ;) {
        const links = (await deps.audit.openIntents(OPEN_INTENTS_MAX)).filter(isAbandoned)
        if (links.length === 0) return closed
        for (const link of links) {
          const body = parseIntentBody(link.body) ?? UNREADABLE
          await appendOutcome(deps, outcomeOf(link, body, UNKNOWN, {}, now()))
        }
        closed += links.length
      }
    },
  }

  function isAbandoned({ at, body }: AuditLink): boolean {
    const isOwn = parseIntentBody(body)?.engine === engine
    return isOwn || at.getTime() < now().getTime() - ABANDONED_MS
  }
}

type Verdict = Pick<OutcomeBody, 'outcome' | 'decision' | 'errorCode' | 'reason'>
const SUCCEEDED: Verdict = {
  outcome: 'succeeded',
  decision: 'allowed',
  errorCode: null,
  reason: null,
}
const UNKNOWN: Verdict = { outcome: 'unknown', decision: 'unknown', errorCode: null, reason: null }
const UNREADABLE: IntentBody = {
  operation: '',
  requestId: '',
  engine: '',
  principal: 'anonymous',
  address: '',
  userAgent: '',
  resource: {},
  args: {},
  comment: '',
}

/** Codes by which the engine says that it was not the caller's doing. */
const FAULTS: ReadonlySet<ErrorCode> = new Set([
  'internal',
  'unavailable',
  'deadline-exceeded',
  'cancelled',
])

function verdictOn(thrown: unknown, { isAllowed }: Done): Verdict {
  const { code, details } = toKreError(thrown)
  const denied = isAllowed === false || code === 'permission-denied' || code === 'unauthenticated'
  const reason = details['reason']
  return {
    outcome: FAULTS.has(code) ? 'failed' : 'refused',
    decision: denied ? 'denied' : 'allowed',
    errorCode: code,
    reason: typeof reason === 'string' ? reason : null,
  }
}

function outcomeOf(
  intent: AuditLink,
  intentBody: IntentBody,
  verdict: Verdict,
  done: Done,
  at: Date,
): NewLink {
  const body: OutcomeBody = {
    ...intentBody,
    principal: done.principal ?? intentBody.principal,
    startedAt: intent.at.toISOString(),
    ...verdict,
    before: done.before === undefined ? undefined : bounded(done.before),
    after: done.after === undefined ? undefined : bounded(done.after),
    rows: withVerdict(done.rows ?? [[]], verdict),
  }
  return {
    kind: 'outcome',
    intentSeq: intent.seq,
    at,
    actor: done.actor ?? intent.actor,
    type: intent.type,
    runtimeId: intent.runtimeId,
    versionId: idOf(done.versionId ?? intent.versionId),
    body: fitting(body),
  }
}

/** KRE's clients know activities that happened only: what did not happen says so among the variables. */
function withVerdict(
  rows: readonly (readonly ActivityVar[])[],
  { outcome, errorCode }: Verdict,
): ActivityVar[][] {
  const verdict: ActivityVar[] = [
    ...(outcome === 'succeeded' ? [] : [{ key: 'OUTCOME', value: outcome.toUpperCase() }]),
    ...(errorCode === null ? [] : [{ key: 'ERROR_CODE', value: errorCode }]),
  ]
  return rows.map((row) => [
    ...row.map(({ key, value }) => ({ key, value: visibleText(value, VAR_CHARS_MAX) })),
    ...verdict,
  ])
}

/** Drops what can be long until the rest fits; who did what to which thing always does. */
function fitting<B extends IntentBody>(body: B): string {
  const cuts: Record<string, unknown>[] = [
    {},
    { before: undefined, after: undefined },
    { before: undefined, after: undefined, args: {} },
    { before: undefined, after: undefined, args: {}, resource: {}, rows: [[]] },
  ]
  const texts = cuts.map((cut) =>
    JSON.stringify({ ...body, ...('rows' in body ? cut : { args: cut['args'] ?? body.args }) }),
  )
  return texts.find((text) => Buffer.byteLength(text) <= BODY_BYTES_MAX) ?? texts.at(-1) ?? ''
}

async function appendOutcome({ chain, logger }: AuditDeps, link: NewLink): Promise<void> {
  try {
    await chain.append(link)
  } catch (error) {
    if (!(error instanceof KreError) || error.code !== 'already-exists') throw error
    logger.warn(
      { intentSeq: link.intentSeq },
      'another engine closed an operation of this one as unknown: it took longer than an hour',
    )
  }
}

/** Ids that a caller made up can be of any length; no real one is longer. */
function idOf(id: string | null): string | null {
  return id === null ? null : String(bounded(id)).slice(0, 100)
}

function closed(cause: unknown): KreError {
  const { code, message } = toKreError(cause)
  return new KreError(
    code === 'resource-exhausted' ? 'resource-exhausted' : 'unavailable',
    `nothing was changed, because the audit log can't be written: ${message}`,
    { reason: 'AUDIT_NOT_WRITABLE' },
    { cause },
  )
}
