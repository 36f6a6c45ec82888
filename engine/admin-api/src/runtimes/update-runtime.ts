import type { Runtime } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireRuntime } from '../versions/version-state.ts'
import { checkTexts } from './runtime-rules.ts'

export type UpdateRuntime = {
  readonly principal: Principal
  readonly id: string
  /** Null = leave as it is. */
  readonly name: string | null
  readonly description: string | null
}

/** @throws KreError `not-found`, `invalid-argument`, or `already-exists` when another runtime has the name. */
export async function updateRuntime(
  deps: Pick<FeatureDeps, 'runtimes'>,
  { principal, id, name, description }: UpdateRuntime,
): Promise<Runtime> {
  authorize(principal, 'edit runtimes')
  await requireRuntime(deps, id)
  return deps.runtimes.update(id, checkTexts({ name, description }))
}
