/** A way from this computer to the admin API in the cluster, for as long as it is needed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { KreError, SECOND_MS } from '@kre/contracts'
import { createAdminClient, type AdminClient } from '../api/admin-client.ts'
import { askProgram, missingProgram, type ProgramContext } from '../programs/run-program.ts'
import { forwardAdmin, readToken } from './cluster-calls.ts'
import type { ClusterSettings } from './cluster-settings.ts'

/** kubectl says at once which port it has, or fails. */
const FORWARD_TIMEOUT_MS = 30 * SECOND_MS
const FORWARDING = /^Forwarding from 127\.0\.0\.1:(\d+) ->/

/**
 * A client of the engine in the cluster, with the rights of the installation's first administrator.
 *
 * @throws KreError `failed-precondition` where nothing is deployed, or kubectl is not there.
 */
export async function connectDeployed(
  context: ProgramContext,
  settings: ClusterSettings,
): Promise<{ client: AdminClient } & AsyncDisposable> {
  const token = await askProgram(context, readToken(settings))
  if (!/^[\w.~+/=-]{8,500}$/.test(token))
    throw new KreError(
      'failed-precondition',
      `the Secret of release "${settings.release}" holds no token: "krectl deploy" installs the release`,
    )
  const { program, args } = forwardAdmin(settings, null)
  const child = spawn(program, [...args], {
    env: { ...context.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close').catch(() => undefined)
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const end = async () => {
    child.kill('SIGTERM')
    await ended
  }
  try {
    const port = await forwardedPort(child)
    const client = createAdminClient(`http://127.0.0.1:${port}`, token)
    return { client, [Symbol.asyncDispose]: end }
  } catch (error) {
    await end()
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missingProgram(program, error)
    throw new KreError(
      'failed-precondition',
      `the engine of release "${settings.release}" can't be reached: ${errors.trim() || 'kubectl port-forward gave no port'}`,
      {},
      { cause: error },
    )
  }

  async function forwardedPort(forwarder: typeof child): Promise<number> {
    const late = AbortSignal.any([context.signal, AbortSignal.timeout(FORWARD_TIMEOUT_MS)])
    const failed = once(forwarder, 'error', { signal: late }).then(([error]: unknown[]) => {
      throw error
    })
    failed.catch(() => undefined) // also when the port came first
    const found = (async () => {
      for await (const line of createInterface({ input: forwarder.stdout, signal: late })) {
        const port = FORWARDING.exec(line)?.[1]
        if (port !== undefined) return Number(port)
      }
      throw new KreError('unavailable', 'kubectl port-forward has ended')
    })()
    return Promise.race([found, failed])
  }
}
