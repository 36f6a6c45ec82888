import type { Runtime, RuntimeDeps } from '../run-node.ts'
export async function openWorkerRuntime(_deps: RuntimeDeps): Promise<Runtime> {
  throw new Error('later')
}
