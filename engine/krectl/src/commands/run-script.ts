import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'

/** A script's way to say that a tool is missing. */
const EXIT_UNAVAILABLE = 69

/**
 * Runs a script of the tests to its end, also when it is interrupted: it removes what it has made.
 *
 * @param dir of the cluster that the script is about.
 * @returns what it says on standard output.
 * @throws KreError `unimplemented` where something that it needs is missing, `failed-precondition` when it fails.
 */
export async function runScript(
  context: Context,
  script: string,
  { dir, signal = context.signal }: { dir: string; signal?: AbortSignal },
): Promise<string> {
  const child = spawn('bash', [join(context.root, 'tests', script)], {
    cwd: context.root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...context.environment, KRE_CLUSTER_DIR: dir },
    signal,
  })
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (error) => {
      if (child.pid === undefined) reject(error)
    })
    child.once('exit', (code) => resolve(code ?? 1))
  })
  const [said, code] = await Promise.all([text(child.stdout), ended])
  signal.throwIfAborted()
  if (code === EXIT_UNAVAILABLE)
    throw new KreError(
      'unimplemented',
      `what tests/${script} needs is not on this computer, see above`,
    )
  if (code !== 0) throw new KreError('failed-precondition', `${script}: failed, see above`)
  return said
}
