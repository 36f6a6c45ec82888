import { join } from 'node:path'
import { toKreError } from '@kre/contracts'
import type { Context } from '../context.ts'
import type { ImageName } from '../images/image-list.ts'
import { buildForTests } from './build.ts'
import { runStep } from './run-step.ts'
import { runTests } from './run-tests.ts'
import { buildHelm } from './test-cluster.ts'
import { hasTestNode, startTestNode, stopTestNode } from './test-node.ts'

/** What the product is installed from, and its versions run. */
const IMAGES: readonly ImageName[] = [
  'engine',
  'entrypoint',
  'runner-typescript',
  'runner-python',
  'runner-onnx',
]

/** In the network of the node, where Services answer. A node that somebody has started before goes on after the tests. */
export async function testPods(
  context: Context,
  patterns: readonly string[],
  base: string,
): Promise<void> {
  const isOurs = !hasTestNode(context)
  try {
    const node = await startTestNode(context).catch((error: unknown) => skip(context, error))
    if (node === null) return
    await buildForTests(context, base, { images: IMAGES, size: false })
    const programs = join(context.root, 'tests/pods/support/find-programs.ts')
    await runStep(context, 'programs of the pods', ['node', programs])
    const { dir, kubeconfig, network } = node
    const wanted = patterns.length === 0 ? ['tests/pods'] : patterns
    const environment = {
      KRE_TEST_CLUSTER: kubeconfig,
      KRE_TEST_PODS: dir,
      KRE_TEST_HELM: await buildHelm(context),
    }
    const inside = ['nsenter', `--net=${network}`]
    await runTests(context, 'tests of pods', ['--runInBand', ...wanted], { environment, inside })
  } finally {
    if (isOurs) await stopTestNode(context)
  }
  context.output.step('All checks passed.')
}

/** Says what is not tested. @throws the error, unless it is that something is missing on this computer. */
function skip({ output }: Context, error: unknown): null {
  const { code, message } = toKreError(error)
  if (code !== 'unimplemented') throw error
  output.step(`== SKIPPED: tests of pods: ${message}`)
  return null
}
