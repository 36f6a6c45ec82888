import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'
import { runScript } from './run-script.ts'
import { hasTestNode, startTestNode, stopTestNode } from './test-node.ts'

export function testClusterCommands(program: Command, context: Context): void {
  const cluster = program
    .command('cluster')
    .description('a Kubernetes control plane on this computer, for the tests of this repository')
  cluster
    .command('up')
    .description(
      'builds its programs with Go (once, minutes) and starts it; what runs is left alone',
    )
    .option('--node', 'another one, with a real node that runs pods; as root (tests/pods/machine)')
    .action(async (options: { node?: true }) => {
      const kubeconfig = options.node
        ? (await startTestNode(context)).kubeconfig
        : await startTestCluster(context)
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
      if (hasTestNode(context)) await stopTestNode(context)
      context.output.step('The test cluster is down.')
    })
}

/** @returns the path of its kubeconfig. @throws KreError `unimplemented` where something that it needs is missing. */
export async function startTestCluster(context: Context): Promise<string> {
  if (process.platform !== 'linux')
    throw new KreError('unimplemented', 'the test cluster runs on Linux alone')
  return (await runScript(context, 'cluster/machine/up.sh', { dir: clusterDir(context) })).trim()
}

/** @returns the path of the program. @throws KreError `unimplemented` as above. */
export async function buildHelm(context: Context): Promise<string> {
  return (await runScript(context, 'chart/build-helm.sh', { dir: clusterDir(context) })).trim()
}

export async function stopTestCluster(context: Context): Promise<void> {
  // Also after the first interruption: what was started must not be left.
  await runScript(context, 'cluster/machine/down.sh', {
    dir: clusterDir(context),
    signal: context.forced,
  })
}

/** Whether somebody has started it, and not ended it. */
export function hasTestCluster(context: Context): boolean {
  return existsSync(join(clusterDir(context), 'pid', 'kube-apiserver'))
}

function clusterDir({ root }: Context): string {
  return join(root, '.kre', 'test-cluster')
}
