import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'

/** A script's way to say that a tool is missing. */
const EXIT_UNAVAILABLE = 69

export function testClusterCommands(program: Command, context: Context): void {
  const cluster = program
    .command('cluster')
    .description('a Kubernetes control plane on this computer, for the tests of this repository')
  cluster
    .command('up')
    .description(
      'builds its programs with Go (once, minutes) and starts it; what runs is left alone',
    )
    .action(async () => {
      const kubeconfig = await startTestCluster(context)
      context.output.result({ kubeconfig }, `export KUBECONFIG=${kubeconfig}`)
    })
  cluster
    .command('helm')
    .description('builds Helm with Go (once, minutes), for the tests of the chart')
    .action(async () => {
      const helm = await buildHelm(context)
      context.output.result({ helm }, helm)
    })
  cluster
    .command('down')
    .description('ends it and removes its data; the programs stay')
    .action(async () => {
      await stopTestCluster(context)
      context.output.step('The test cluster is down.')
    })
}

/** @returns the path of its kubeconfig. */
export async function startTestCluster(context: Context): Promise<string> {
  if (process.platform !== 'linux')
    throw new KreError('unimplemented', 'the test cluster runs on Linux alone')
  return (await runScript(context, 'cluster/machine/up.sh')).trim()
}

/** @returns the path of the program. */
export async function buildHelm(context: Context): Promise<string> {
  return (await runScript(context, 'chart/build-helm.sh')).trim()
}

export async function stopTestCluster(context: Context): Promise<void> {
  // Also after the first interruption: what was started must not be left.
  await runScript(context, 'cluster/machine/down.sh', context.forced)
}

/** Whether somebody has started it, and not ended it. */
export function hasTestCluster(context: Context): boolean {
  return existsSync(join(clusterDir(context), 'pid', 'kube-apiserver'))
}

function clusterDir({ root }: Context): string {
  return join(root, '.kre', 'test-cluster')
}

async function runScript(
  context: Context,
  script: string,
  signal = context.signal,
): Promise<string> {
  const child = spawn('bash', [join(context.root, 'tests', script)], {
    cwd: context.root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...context.environment, KRE_CLUSTER_DIR: clusterDir(context) },
    signal,
  })
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
  const [said, code] = await Promise.all([text(child.stdout), ended])
  if (code === EXIT_UNAVAILABLE)
    throw new KreError(
      'failed-precondition',
      'the test cluster needs a tool that is not here, see above',
    )
  if (code !== 0) throw new KreError('failed-precondition', `${script}: failed, see above`)
  return said
}
