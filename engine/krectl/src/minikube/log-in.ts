import type { Context } from '../context.ts'
import { createLoginUrl } from '../api/login-url.ts'
import { formatCall } from '../programs/run-program.ts'
import { forwardAdmin } from './cluster-calls.ts'
import type { ClusterSettings } from './cluster-settings.ts'
import { connectDeployed } from './forward-admin.ts'

export type DeployedLogin = {
  url: string
  /** What leads to it from this computer; null = the address of the Ingress does. */
  forward: string | null
}

/** A link for the engine in the cluster. @param port of this computer that the link names, if it does. */
export async function logInDeployed(
  context: Context,
  settings: ClusterSettings,
  options: { renew: boolean; user: string | null },
): Promise<DeployedLogin> {
  await using deployed = await connectDeployed(context, settings)
  const url = await createLoginUrl(deployed.client, options)
  const { hostname, port } = new URL(settings.adminUrl)
  const isHere =
    hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '127.0.0.1'
  const forward = isHere ? formatCall(forwardAdmin(settings, Number(port) || 80)) : null
  return { url, forward }
}

/** The words of the original, with what it takes to get there. */
export function describeLogin({ url, forward }: DeployedLogin): string {
  const before = forward === null ? '' : `Leave this running meanwhile:\n\n  ${forward}\n\n`
  return `Login done. ${before}Open your browser at:\n\n  ${url}\n\nDone.`
}
