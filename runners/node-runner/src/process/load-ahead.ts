/** Puts all code that a node will need into the compile cache before the node starts for good. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { NodeLaunch } from '@kre/contracts/runtime'
import { startLean } from '@kre/service-kit/runner'

/** Returns when the node can start in this process; see `startLean` for when it does not return. */
export async function loadAhead(
  launch: NodeLaunch,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<void> {
  if (launch.runner === 'typescript') {
    const { provideEnginePackages } = await import('../typescript/load-handlers.ts')
    const { loadStripped } = await import('../typescript/load-stripped.ts')
    await import('../typescript/typescript-runtime.ts')
    provideEnginePackages()
    loadStripped(launch)
    for (const { src } of [launch, ...(launch.fused ?? [])])
      await loadUnused(resolve(launch.basePath, src))
  } else if (launch.runner === 'onnx') await import('../onnx/onnx-runtime.ts')
  else await import('../worker/worker-runtime.ts')
  await startLean(environment, loadRest, signal)
}

/** Loads all code of the runner that some node needs, and runs none of it: a compile cache then has it for each. */
export async function loadEverything(): Promise<void> {
  await Promise.all([
    import('../typescript/load-handlers.ts'),
    import('../typescript/load-stripped.ts'),
    import('../typescript/typescript-runtime.ts'),
    import('../onnx/onnx-runtime.ts'),
    import('../worker/worker-runtime.ts'),
    loadRest(),
  ])
}

/** What is loaded later, when a node is asked something. */
async function loadRest(): Promise<void> {
  await Promise.all([
    import('@kre/sdk/message-codec'),
    import('@kre/service-kit/nats'),
    import('../services/data-services.ts'),
  ])
}

/** Loads and links a module with all that it imports, and evaluates nothing of it. */
async function loadUnused(file: string): Promise<void> {
  // Modules are evaluated in the order of their imports, when all are linked: the first one ends it.
  const halt = 'data:text/javascript,throw null'
  const both = `import '${halt}'; import ${JSON.stringify(pathToFileURL(file).href)}`
  await import(`data:text/javascript,${encodeURIComponent(both)}`).catch(() => {
    // Expected. What is wrong with the file itself is said when it is used.
  })
}
