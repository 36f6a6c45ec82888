import { KEPT_REASONS, KreError } from '@kre/contracts'
import type { KeptRequest } from '@kre/store'
import { z } from 'zod'
import type { FeatureDeps } from '../context.ts'
import { authorize, sees, type Principal } from '../principal.ts'
import { quoted } from '../text.ts'
import { requireVersion } from '../versions/version-state.ts'

const LIST_DEFAULT = 50
const LIST_MAX = 200
const TEXT_CHARS_MAX = 200

const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .max(LIST_MAX)
    .nullish()
    .transform((items) => (items === null || items?.length === 0 ? undefined : items))
const moment = z.iso
  .datetime({ offset: true, error: 'use a date as in 2026-01-31T12:00:00Z' })
  .nullish()
  .transform((value) => (value === null || value === undefined ? undefined : new Date(value)))

/** Filters as GraphQL sends them. */
const RequestFilters = z.object({
  startDate: moment,
  endDate: moment,
  workflow: z.string().max(TEXT_CHARS_MAX).nullish(),
  statuses: list(z.string().max(TEXT_CHARS_MAX)),
  kept: list(z.enum(KEPT_REASONS)),
  elapsedMsMin: z.number().min(0).nullish(),
  limit: z.number().int().min(1).max(LIST_MAX).nullish(),
})

type ReadRequestsDeps = Pick<FeatureDeps, 'runtimes' | 'versions' | 'requests'>

/**
 * Requests of a version that were kept as examples, newest first.
 *
 * @throws KreError `not-found`, `invalid-argument` for a filter.
 */
export async function listRequests(
  deps: ReadRequestsDeps,
  query: { principal: Principal; runtimeId: string; versionName: string; filters: unknown },
): Promise<Omit<KeptRequest, 'steps'>[]> {
  const { principal, runtimeId, versionName } = query
  authorize(principal, 'view traffic', runtimeId)
  const parsed = RequestFilters.safeParse(query.filters ?? {})
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const field = issue?.path.join('.') ?? ''
    throw new KreError('invalid-argument', `filters.${field}: ${issue?.message}`, { field })
  }
  const version = await requireVersion(deps, runtimeId, versionName)
  const { workflow, statuses, kept, elapsedMsMin, startDate, endDate, limit } = parsed.data
  const workflowId =
    version.facts.manifest.workflows.find(({ id, name }) => id === workflow || name === workflow)
      ?.id ?? workflow
  return deps.requests.list({
    runtimeId,
    version: version.name,
    ...(workflowId === null || workflowId === undefined ? {} : { workflow: workflowId }),
    ...(statuses === undefined ? {} : { statuses }),
    ...(kept === undefined ? {} : { kept }),
    ...(elapsedMsMin === null || elapsedMsMin === undefined ? {} : { elapsedMsMin }),
    ...(startDate === undefined ? {} : { from: startDate }),
    ...(endDate === undefined ? {} : { to: endDate }),
    limit: limit ?? LIST_DEFAULT,
  })
}

/**
 * One kept request with its steps; null when it is none, or none that the caller may see.
 *
 * @param query.runtimeId absent = it is looked for in every runtime of the caller.
 */
export async function findRequest(
  deps: ReadRequestsDeps,
  query: { principal: Principal; id: string; runtimeId?: string | null | undefined },
): Promise<KeptRequest | null> {
  const { principal, id, runtimeId } = query
  if (id.length > TEXT_CHARS_MAX)
    throw new KreError('invalid-argument', `id: ${quoted(id)} is no id of a request`)
  if (runtimeId !== null && runtimeId !== undefined) {
    authorize(principal, 'view traffic', runtimeId)
    return deps.requests.find(runtimeId, id)
  }
  const runtimes = (await deps.runtimes.list()).filter((runtime) => sees(principal, runtime.id))
  for (const runtime of runtimes) {
    const found = await deps.requests.find(runtime.id, id)
    if (found !== null) return found
  }
  return null
}

/** Steps of one kept request, which lists leave out. */
export async function stepsOf(
  deps: Pick<FeatureDeps, 'requests'>,
  request: Pick<KeptRequest, 'id' | 'runtimeId'>,
): Promise<KeptRequest['steps']> {
  return (await deps.requests.find(request.runtimeId, request.id))?.steps ?? []
}
