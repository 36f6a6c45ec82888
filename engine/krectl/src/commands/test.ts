import { spawn } from 'node:child_process'
import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'
import { buildForTests } from './build.ts'
import { buildHelm, hasTestCluster, startTestCluster, stopTestCluster } from './test-cluster.ts'

type TestOptions = { cluster?: true; images?: true; base: string }

/** The one check of the project, the same by hand and in continuous integration. */
const STEPS: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['format', ['npm', 'run', '--silent', 'format:check']],
  ['lint', ['npm', 'run', '--silent', 'lint']],
  ['types', ['npm', 'run', '--silent', 'typecheck']],
  ['dead code', ['npm', 'run', '--silent', 'dead-code']],
]

export function testCommand(program: Command, context: Context): void {
  program
    .command('test [patterns...]')
    .description(
      'checks format, lint, types and dead code, and runs all tests (or those whose path matches)',
    )
    .option(
      '--cluster',
      'runs the tests on Kubernetes, and nothing else, on a cluster of their own',
    )
    .option(
      '--images',
      'builds the images and runs the tests of them, and nothing else; as root, with podman',
    )
    .option(
      '--base <kind>',
      'with --images: distroless, or debian (see krectl build)',
      'distroless',
    )
    .allowUnknownOption()
    .action(async (patterns: string[], options: TestOptions) => {
      if (options.cluster) return testOnCluster(context, patterns)
      if (options.images) return testImages(context, patterns, options.base)
      if (patterns.length === 0)
        for (const [name, command] of STEPS) await runStep(context, name, command)
      await runStep(context, 'tests', ['npm', 'run', '--silent', 'test', '--', ...patterns])
      context.output.step('All checks passed.')
    })
}

async function testImages(
  context: Context,
  patterns: readonly string[],
  base: string,
): Promise<void> {
  const wanted = patterns.length === 0 ? ['tests/images'] : patterns
  const kind = await buildForTests(context, base)
  const command = ['npm', 'run', '--silent', 'test', '--', ...wanted]
  await runStep(context, 'tests of the images', command, { KRE_TEST_IMAGES: kind })
  context.output.step('All checks passed.')
}

/** A cluster that somebody has started before goes on after the tests. */
async function testOnCluster(context: Context, patterns: readonly string[]): Promise<void> {
  const isOurs = !hasTestCluster(context)
  try {
    const kubeconfig = await startTestCluster(context)
    const wanted = patterns.length === 0 ? ['tests/cluster', 'tests/chart'] : patterns
    // One after the other: each file brings machines of its own, which answer for the pods of all.
    const command = ['npm', 'run', '--silent', 'test', '--', '--runInBand', ...wanted]
    const found = { KRE_TEST_CLUSTER: kubeconfig, KRE_TEST_HELM: await buildHelm(context) }
    await runStep(context, 'tests on Kubernetes', command, found)
  } finally {
    if (isOurs) await stopTestCluster(context)
  }
  context.output.step('All checks passed.')
}

async function runStep(
  context: Context,
  name: string,
  [command, ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  context.output.step(`== ${name}`)
  const child = spawn(command ?? '', args, {
    cwd: context.root,
    // Standard output is for results, which a test run has none of but its exit code.
    stdio: ['ignore', context.output.json ? 2 : 1, 2],
    env: { ...context.environment, ...environment },
  })
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (exit) => resolve(exit ?? 1))
  })
  if (code !== 0) throw new KreError('failed-precondition', `${name}: failed`)
}
