import type { Runtime } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { checkRuntime, type RuntimeFields } from './runtime-rules.ts'

type CreateRuntimeDeps = Pick<FeatureDeps, 'runtimes' | 'events' | 'now'>

/** @throws KreError `invalid-argument`, or `already-exists` when the id or the name is taken. */
export async function createRuntime(
  deps: CreateRuntimeDeps,
  command: RuntimeFields & { principal: Principal },
): Promise<Runtime> {
  authorize(command.principal, 'edit runtimes')
  const runtime: Runtime = {
    ...checkRuntime(command),
    createdAt: deps.now(),
    createdBy: command.principal.email,
  }
  await deps.runtimes.create(runtime)
  deps.events.publish({ type: 'runtime.created', runtimeId: runtime.id })
  return runtime
}
