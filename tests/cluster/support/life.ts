/** A version with a published entrypoint, as tests start and end it where the cluster is in the way. */
import { type Target, toKreError } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { apply } from '../../../k8s-manager/src/testing/apply.ts'
import { entrypointWorkload, nodeWorkload } from '../../../k8s-manager/src/testing/workloads.ts'

export const node = nodeWorkload('etl', { replicas: 2 })
export const entrypoint = entrypointWorkload()
export const published = entrypointWorkload(null)

/** Four pods. */
export const ALL = { apply: [node, entrypoint, published], remove: [] }
export const NONE = { apply: [], remove: ALL.apply.map(({ id }) => id) }

/** As the converger does: again, until nothing is refused. */
export async function takes(target: Target, plan: Parameters<Target['apply']>[0]): Promise<void> {
  await waitUntil(
    'everything is taken',
    async () => {
      const stages = await apply(target, plan).catch(orAway)
      return stages?.every(({ status }) => status !== 'error')
    },
    { timeoutMs: 90_000 },
  )
}

/** @returns null for the error that the cluster can't be reached. @throws any other one. */
export function orAway(error: unknown): null {
  if (toKreError(error).code !== 'unavailable') throw error
  return null
}

export function reasonsOf(observed: Awaited<ReturnType<Target['fetch']>>): string[] {
  return observed.flatMap(({ replicas }) => replicas.map(({ reason }) => reason))
}
