import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import { toKreError } from '@kre/contracts'
import type { Context } from '../context.ts'
import { buildForTests } from './build.ts'
import { runStep } from './run-step.ts'
import { runTests } from './run-tests.ts'
import { buildHelm, hasTestCluster, startTestCluster, stopTestCluster } from './test-cluster.ts'
import { testPods } from './test-pods.ts'

type TestOptions = {
  cluster?: true
  core?: true
  orSkip?: true
  images?: true
  pods?: true
  base: string
}

/** The one check of the project, the same by hand and in continuous integration. */
const STEPS: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['format', ['npm', 'run', '--silent', 'format:check']],
  ['lint', ['npm', 'run', '--silent', 'lint']],
  ['types', ['npm', 'run', '--silent', 'typecheck']],
  ['dead code', ['npm', 'run', '--silent', 'dead-code']],
]

/** What every change is asked of a cluster; the rest takes minutes and is for who works on that side. */
const CORE = [
  'tests/cluster/kubernetes-target',
  'tests/cluster/faults',
  'tests/cluster/refusals',
  'tests/cluster/rolls',
  'tests/chart/cluster',
  'tests/chart/render',
]

export function testCommand(program: Command, context: Context): void {
  program
    .command('test [patterns...]')
    .description(
      'checks format, lint, types and dead code, and runs all tests (or those whose path matches; what stands behind -- is for Jest)',
    )
    .option(
      '--cluster',
      'runs the tests on Kubernetes, and nothing else, on a cluster of their own',
    )
    .option('--core', 'with --cluster: those alone that continuous integration runs')
    .option(
      '--or-skip',
      'with --cluster: says what is missing on this computer, and ends well, where there can be no cluster',
    )
    .option(
      '--images',
      'builds the images and runs the tests of them, and nothing else; as root, with podman',
    )
    .option(
      '--pods',
      'installs KRE from images that it builds, on a cluster with a real node, and runs the tests of pods, and nothing else; as root, with podman',
    )
    .option(
      '--base <kind>',
      'with --images and --pods: distroless, or debian (see krectl build)',
      'distroless',
    )
    .action(async (patterns: string[], options: TestOptions) => {
      if (options.cluster) return testOnCluster(context, patterns, options)
      if (options.images) return testImages(context, patterns, options.base)
      if (options.pods) return testPods(context, patterns, options.base)
      if (patterns.length === 0) await testAll(context)
      else await runTests(context, 'tests', patterns)
      context.output.step('All checks passed.')
    })
}

async function testAll(context: Context): Promise<void> {
  for (const [name, command] of STEPS) await runStep(context, name, command)
  await runTests(context, 'tests of the parts', ['--testMatch=<rootDir>/**/src/**/*.test.ts'])
  // These wait for processes half of their time; those above would measure their neighbours.
  const workers = Math.ceil(1.5 * availableParallelism())
  await runTests(context, 'tests of the whole', [
    '--testMatch=<rootDir>/tests/**/*.test.ts',
    `--maxWorkers=${workers}`,
  ])
}

async function testImages(
  context: Context,
  patterns: readonly string[],
  base: string,
): Promise<void> {
  const wanted = patterns.length === 0 ? ['tests/images'] : patterns
  const kind = await buildForTests(context, base)
  await runTests(context, 'tests of the images', wanted, {
    environment: { KRE_TEST_IMAGES: kind },
  })
  context.output.step('All checks passed.')
}

/** A cluster that somebody has started before goes on after the tests. */
async function testOnCluster(
  context: Context,
  patterns: readonly string[],
  options: TestOptions,
): Promise<void> {
  const isOurs = !hasTestCluster(context)
  const all = options.core ? CORE : ['tests/cluster', 'tests/chart']
  try {
    const kubeconfig = await startTestCluster(context).catch((error: unknown) =>
      skip(error, options, context),
    )
    if (kubeconfig === null) return
    // One after the other: each file brings machines of its own, which answer for the pods of all.
    const wanted = ['--runInBand', ...(patterns.length === 0 ? all : patterns)]
    const helm = await buildHelm(context).catch((error: unknown) => skip(error, options, context))
    const found = {
      KRE_TEST_CLUSTER: kubeconfig,
      KRE_TEST_HELM: helm ?? '',
      ...(options.core ? { KRE_TEST_CORE: 'true' } : {}),
    }
    await runTests(context, 'tests on Kubernetes', wanted, { environment: found })
  } finally {
    if (isOurs) await stopTestCluster(context)
  }
  context.output.step('All checks passed.')
}

/** Says what is not tested. @throws the error, unless something is only missing on this computer and that may be. */
function skip(error: unknown, { orSkip }: TestOptions, { output }: Context): null {
  const { code, message } = toKreError(error)
  if (orSkip !== true || code !== 'unimplemented') throw error
  output.step(`== SKIPPED: ${message}`)
  return null
}
