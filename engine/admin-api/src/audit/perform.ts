import { toKreError } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { sees, type Principal } from '../principal.ts'
import type { KeyedLock } from '../concurrency/keyed-lock.ts'
import type { Audit, AuditEntry, Done, Intent } from './audit.ts'
import type { PrincipalKind } from './audit-record.ts'
import type { AuditedOperation, Input, StateDeps, Target } from './operations.ts'
import { requestScope, takeDone } from './request-scope.ts'

export type PerformDeps = StateDeps & { auditLog: Audit; logger: Logger; lock: KeyedLock }

export type Attempt = {
  /** Its name in the table of operations. */
  readonly name: string
  readonly operation: AuditedOperation
  readonly input: Input
  /** Null = nobody proved who he is. */
  readonly principal: Principal | null
  readonly requestId: string
}

/**
 * Does something that changes the engine's state: intent, effect, outcome. The outcome is written before this returns
 * or throws what `effect` threw.
 *
 * @param failure tells a failure that is no throw by what `effect` returned.
 * @throws KreError `unavailable` when the intent can't be written: nothing was done.
 */
export function perform<T>(
  deps: PerformDeps,
  attempt: Attempt,
  effect: () => Promise<T> | T,
  failure: (result: T) => Error | null = () => null,
): Promise<T> {
  const work = (): Promise<T> => performNow(deps, attempt, effect, failure)
  if (attempt.operation.state === undefined) return work()
  // What is read before and after it must be its own doing.
  const runtimeId = runtimeOf(attempt)
  return deps.lock(`audit/${runtimeId ?? ''}`, work)
}

async function performNow<T>(
  deps: PerformDeps,
  attempt: Attempt,
  effect: () => Promise<T> | T,
  failure: (result: T) => Error | null,
): Promise<T> {
  const target = await findTarget(deps, attempt)
  const before = await readState(deps, attempt, target)
  const entry = await deps.auditLog.begin(intentOf(attempt, target))
  let result: T
  try {
    result = await effect()
  } catch (error) {
    await entry.fail(error, refusal(attempt, target))
    throw error
  }
  const failed = failure(result)
  if (failed === null) await succeed(deps, { attempt, target, before, entry })
  else await entry.fail(failed, refusal(attempt, target))
  return result
}

/** Writes down what was refused before anything could be done. */
export async function recordRefusal(
  deps: PerformDeps,
  attempt: Attempt,
  error: unknown,
): Promise<void> {
  const target = await findTarget(deps, attempt)
  const entry = await deps.auditLog.begin(intentOf(attempt, target))
  await entry.fail(error, refusal(attempt, target))
}

const NO_TARGET: Target = { runtimeId: null, versionName: null, versionId: null }

async function succeed(
  deps: PerformDeps,
  done: { attempt: Attempt; target: Target; before: Input | null; entry: AuditEntry },
): Promise<void> {
  const { attempt, target, before, entry } = done
  const noted = takeDone()
  const state = await readState(deps, attempt, target)
  const after =
    state === null && noted.after === undefined ? null : { ...state, ...toInput(noted.after) }
  const { operation, input } = attempt
  await entry.succeed({
    ...(before === null ? {} : { before }),
    ...noted,
    ...(after === null ? {} : { after }),
    rows: operation.rows({ input, target, before: before ?? {}, after: after ?? {} }),
  })
}

function refusal({ operation, input, principal }: Attempt, target: Target): Done {
  const { runtimeId } = target
  return {
    ...takeDone(),
    rows: operation.rows({ input, target, before: null, after: null }),
    // A runtime that the caller may not see answers as if it were not there.
    ...(runtimeId !== null && principal !== null && !sees(principal, runtimeId)
      ? { isAllowed: false }
      : {}),
  }
}

function intentOf(
  { name, operation, input, principal, requestId }: Attempt,
  target: Target,
): Intent {
  const kept = operation.keep.flatMap((field) =>
    input[field] === undefined ? [] : [[field, input[field]]],
  )
  const scope = requestScope()
  return {
    operation: name,
    requestId,
    type: operation.type,
    actor: principal?.email ?? '',
    principal: kindOf(principal),
    address: scope?.address ?? '',
    userAgent: scope?.userAgent ?? '',
    runtimeId: target.runtimeId,
    versionId: target.versionId,
    resource: Object.fromEntries(Object.entries(target).filter(([, value]) => value !== null)),
    args: { ...Object.fromEntries(kept), ...operation.conceal?.(input) },
    comment: typeof input['comment'] === 'string' ? input['comment'] : '',
  }
}

function kindOf(principal: Principal | null): PrincipalKind {
  return principal?.credential.kind ?? 'anonymous'
}

function runtimeOf({ operation, input }: Attempt): string | null {
  const runtimeId = input[operation.runtimeIdAt ?? 'runtimeId']
  return typeof runtimeId === 'string' ? runtimeId : null
}

async function findTarget(deps: PerformDeps, attempt: Attempt): Promise<Target> {
  const runtimeId = runtimeOf(attempt)
  const { versionName } = attempt.input
  if (runtimeId === null) return NO_TARGET
  if (typeof versionName !== 'string') return { ...NO_TARGET, runtimeId }
  const version = await deps.versions.find(runtimeId, versionName)
  return { runtimeId, versionName, versionId: version?.id ?? null }
}

/** Null when the operation has no state, or it can't be read: the record is poorer then, the operation goes on. */
async function readState(
  deps: PerformDeps,
  { operation, input, name }: Attempt,
  target: Target,
): Promise<Input | null> {
  try {
    return (await operation.state?.(deps, target, input)) ?? null
  } catch (error) {
    deps.logger.warn(
      { operation: name, err: toKreError(error) },
      'what an operation changes could not be read for the audit log',
    )
    return null
  }
}

function toInput(value: unknown): Input {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
