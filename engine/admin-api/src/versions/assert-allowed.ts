import { isAllowed, KreError, VERSION_TRANSITIONS } from '@kre/contracts'
import type { VersionOperation } from '@kre/contracts'
import type { VersionState } from './version-state.ts'

/** @throws KreError `failed-precondition` with KRE's message when the version's status doesn't allow the operation. */
export function assertAllowed(
  operation: VersionOperation,
  { version, derived }: VersionState,
): void {
  if (isAllowed(operation, derived.status)) return
  throw refusal(operation, VERSION_TRANSITIONS[operation].refusal, version.name, derived.status)
}

/** @throws KreError `failed-precondition` when the version is published, as `operation` would take it away from callers. */
export function assertNotPublished(
  operation: 'stop' | 'delete',
  published: string | null,
  { version, derived }: VersionState,
): void {
  if (published !== version.name) return
  const doing = operation === 'stop' ? 'stopping' : 'deleting'
  const message = `the version must be unpublished before ${doing}`
  throw refusal(operation, message, version.name, derived.status)
}

function refusal(operation: string, message: string, version: string, status: string): KreError {
  return new KreError('failed-precondition', message, { operation, version, status })
}
