/** What went wrong between the engine and MongoDB, in the engine's words. */
import { KreError } from '@kre/contracts'

const DUPLICATE_KEY = 11_000
const OUT_OF_DISK_SPACE = 14_031
const MAX_TIME_EXPIRED = 50
/** Unauthorized, AuthenticationFailed, and Atlas' own. */
const NOT_ALLOWED: ReadonlySet<number> = new Set([13, 18, 8000])
/** BSONObjectTooLarge, and what an update or an insert says of the same. */
const TOO_LARGE: ReadonlySet<number> = new Set([10_334, 17_419, 17_420])
/** A server that is starting, stopping, or not the primary any more; a write concern that was not met in time. */
const PASSING: ReadonlySet<number> = new Set([
  6, 7, 64, 89, 91, 100, 112, 133, 189, 262, 9001, 10_058, 10_107, 11_600, 11_602, 13_388, 13_435,
  13_436,
])
/** Errors of the driver that mean that no server could be asked. */
const UNREACHABLE =
  /^Mongo(?:Network|ServerSelection|Topology|NotConnected|PoolCleared|PoolClosed|WaitQueue|WriteConcern|ServerClosed|OperationTimeout)/

/** Whether an insert or upsert met a document with the same key. */
export function isDuplicate(thrown: unknown): boolean {
  if (fieldOf(thrown, 'code') === DUPLICATE_KEY) return true
  // FerretDB says it of an insert; of an update it passes on what its SQLite says.
  return textOf(thrown, 'message').includes('UNIQUE constraint failed')
}

/** Whether the document itself is larger than the server takes. */
export function isTooLarge(thrown: unknown): boolean {
  return TOO_LARGE.has(Number(fieldOf(thrown, 'code')))
}

/**
 * What callers of the API read names no server: of faults (`unavailable`, `internal`) they read nothing.
 *
 * @param where names the servers in the message, without credentials.
 * @returns the error itself when it is one of KRE's already.
 */
export function toKreError(thrown: unknown, where: string): KreError {
  if (thrown instanceof KreError) return thrown
  const inner = innerOf(thrown)
  if (inner !== null) return toKreError(inner, where)
  const cause = { cause: thrown }
  const code = Number(fieldOf(thrown, 'code') ?? 0)
  const name = textOf(thrown, 'name')
  const reason = reasonOf(thrown)
  if (code === OUT_OF_DISK_SPACE || /no space left|disk is full/i.test(reason))
    return new KreError(
      'resource-exhausted',
      'STORAGE_FULL the database has no space left: free space on its disk; the engine goes on by itself',
      { reason: 'STORAGE_FULL' },
      cause,
    )
  if (NOT_ALLOWED.has(code))
    return new KreError(
      'unavailable',
      `the database at ${where} refuses the engine's user (${reason}): check user, password, authSource and roles (readWriteAnyDatabase, or readWrite on each of KRE's databases)`,
      {},
      cause,
    )
  if (code === MAX_TIME_EXPIRED)
    return new KreError(
      'deadline-exceeded',
      'the database took too long: ask for less, for example a shorter range of dates',
      {},
      cause,
    )
  if (TOO_LARGE.has(code))
    return new KreError(
      'resource-exhausted',
      'the database takes no document of this size: store less in one piece',
      {},
      cause,
    )
  if (UNREACHABLE.test(name) || PASSING.has(code) || hasRetryLabel(thrown))
    return new KreError(
      'unavailable',
      `the database at ${where} can't be reached or is not ready (${reason}): check that it runs; the engine goes on by itself when it is back`,
      {},
      cause,
    )
  return new KreError('internal', `the database at ${where} failed: ${reason}`, {}, cause)
}

/** Drivers put the user's name and password into a message only as part of an address; those never reach anybody. */
function reasonOf(thrown: unknown): string {
  const message = textOf(thrown, 'message')
  return message.replaceAll(/\/\/[^@/\s]*@/g, '//***@').slice(0, 500)
}

function textOf(thrown: unknown, name: 'name' | 'message'): string {
  const text = fieldOf(thrown, name)
  return typeof text === 'string' ? text : ''
}

function hasRetryLabel(thrown: unknown): boolean {
  const labels = fieldOf(thrown, 'errorLabelSet')
  return labels instanceof Set && (labels.has('RetryableWriteError') || labels.has('NetworkError'))
}

/** What a failed bulk write wraps: a lost connection, for example. */
function innerOf(thrown: unknown): unknown {
  const inner = fieldOf(thrown, 'errorResponse')
  return textOf(thrown, 'name') === 'MongoBulkWriteError' && textOf(inner, 'name') !== ''
    ? inner
    : null
}

/** Errors are told by their fields: those of another realm (a test's sandbox) are no instances of our Error. */
function fieldOf(
  thrown: unknown,
  name: 'code' | 'name' | 'message' | 'errorLabelSet' | 'errorResponse',
): unknown {
  return typeof thrown === 'object' && thrown !== null
    ? (thrown as Record<string, unknown>)[name]
    : undefined
}
