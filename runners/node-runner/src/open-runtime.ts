import type { Runtime, RuntimeDeps } from './runtime.ts'

/** Loads a language only where a node speaks it. @throws KreError as the language's own opener. */
export async function openRuntime(deps: RuntimeDeps): Promise<Runtime> {
  if (deps.launch.runner === 'typescript') {
    const { openTypescriptRuntime } = await import('./typescript/typescript-runtime.ts')
    return openTypescriptRuntime(deps)
  }
  if (deps.launch.runner === 'onnx') {
    const { openOnnxRuntime } = await import('./onnx/onnx-runtime.ts')
    return openOnnxRuntime(deps)
  }
  const { openWorkerRuntime } = await import('./worker/worker-runtime.ts')
  return openWorkerRuntime(deps)
}
