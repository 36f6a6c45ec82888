/** What went wrong in SQLite or on its disk, in the engine's words. */
import { basename } from 'node:path'
import { KreError } from '@kre/contracts'

/** Primary result codes (sqlite.org/rescode.html); extended codes carry them in their lowest byte. */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

const CONSTRAINT_FOREIGNKEY = 787
const CONSTRAINT_PRIMARYKEY = 1555
const CONSTRAINT_UNIQUE = 2067

/** Whether an insert met a row with the same key. Takes what a `Database` throws. */
export function isUniqueViolation(thrown: unknown): boolean {
  const code = thrown instanceof KreError ? extendedCode(thrown.cause) : 0
  return code === CONSTRAINT_UNIQUE || code === CONSTRAINT_PRIMARYKEY
}

/** Whether an insert names a row of another table that isn't there. Takes what a `Database` throws. */
export function isForeignKeyViolation(thrown: unknown): boolean {
  return thrown instanceof KreError && extendedCode(thrown.cause) === CONSTRAINT_FOREIGNKEY
}

/**
 * @param where names the file or folder in the message.
 * @returns the error itself when it is one of KRE's already.
 */
export function toKreError(thrown: unknown, where: string): KreError {
  if (thrown instanceof KreError) return thrown
  const cause = { cause: thrown }
  const reason = String(fieldOf(thrown, 'message') ?? thrown)
  switch (systemCode(thrown)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return storageFull(where, thrown)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new KreError('unavailable', notWritable(where, reason), {}, cause)
    case 'ERR_INVALID_STATE':
      return new KreError('unavailable', `the store ${where} is closed`, {}, cause)
  }
  // oxlint-disable-next-line no-bitwise -- the primary code is the lowest byte
  const primary = extendedCode(thrown) & 0xff
  switch (primary) {
    case FULL:
      return storageFull(where, thrown)
    case CORRUPT:
    case NOTADB:
      return new KreError(
        'unavailable',
        `the database ${where} is damaged (${reason}): stop the engine, keep a copy of the file, and restore the folder from a backup`,
        {},
        cause,
      )
    case BUSY:
    case LOCKED:
      return new KreError(
        'unavailable',
        `the database ${where} is locked by another process (${reason}): try again; if it stays so, another engine uses the same folder`,
        {},
        cause,
      )
    case READONLY:
    case CANTOPEN:
      return new KreError('unavailable', notWritable(where, reason), {}, cause)
    case IOERR:
      return new KreError(
        'unavailable',
        `the disk under ${where} reports an error (${reason}): check the disk`,
        {},
        cause,
      )
    default:
      return new KreError('internal', `the database ${where} failed: ${reason}`, {}, cause)
  }
}

/** Callers of the API read this one, so it names the file without its folder. */
function storageFull(where: string, cause: unknown): KreError {
  return new KreError(
    'resource-exhausted',
    `STORAGE_FULL no space is left for ${basename(where)}: free space on the engine's disk; it goes on by itself`,
    { reason: 'STORAGE_FULL' },
    { cause },
  )
}
function notWritable(where: string, reason: string): string {
  return `${where} can't be opened for writing (${reason}): check that the folder exists and belongs to the engine's user`
}
/** Errors are told by their fields: those of another realm (a test's sandbox) are no instances of our Error. */
function fieldOf(thrown: unknown, name: 'code' | 'errcode' | 'message'): unknown {
  return typeof thrown === 'object' && thrown !== null
    ? (thrown as Record<string, unknown>)[name]
    : undefined
}
function systemCode(thrown: unknown): unknown {
  return fieldOf(thrown, 'code')
}
/** 0 when it is no error of SQLite. */
function extendedCode(thrown: unknown): number {
  return Number(fieldOf(thrown, 'errcode') ?? 0)
}
