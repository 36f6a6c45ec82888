/** A cluster with one real node on this computer: pods really run, as the tests of pods need it (tests/pods/machine). */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../context.ts'
import { runScript } from './run-script.ts'

export type TestNode = {
  /** Folder of the cluster, by which its scripts know it. */
  dir: string
  kubeconfig: string
  /** File of the network that node, pods and Services are in. */
  network: string
}

/** @throws KreError `unimplemented` where something that it needs is missing. */
export async function startTestNode(context: Context): Promise<TestNode> {
  const dir = testNodeDir(context)
  const kubeconfig = (await runScript(context, 'pods/machine/up.sh', { dir })).trim()
  const holder = (await readFile(join(dir, 'pid', 'holder'), 'utf8')).trim()
  return { dir, kubeconfig, network: `/proc/${holder}/ns/net` }
}

export async function stopTestNode(context: Context): Promise<void> {
  // Also after the first interruption: what was started must not be left.
  const where = { dir: testNodeDir(context), signal: context.forced }
  await runScript(context, 'pods/machine/down.sh', where)
}

/** Whether somebody has started it, and not ended it. */
export function hasTestNode(context: Context): boolean {
  return existsSync(join(testNodeDir(context), 'pid', 'holder'))
}

/** Outside of the checkout, through which tools of all kinds walk: it holds the unpacked images. */
function testNodeDir({ root, environment }: Context): string {
  const home = environment['HOME'] ?? tmpdir()
  const cache = environment['XDG_CACHE_HOME'] ?? join(home, '.cache')
  const checkout = createHash('sha256').update(root).digest('hex').slice(0, 8)
  return join(cache, 'kre', 'test-nodes', checkout)
}
