import type { Context } from '../context.ts'
import { createLoginUrl } from '../api/login-url.ts'
import { formatCall } from '../programs/run-program.ts'
import { clusterAddress, forwardAdmin } from './cluster-calls.ts'
import type { ClusterSettings } from './cluster-settings.ts'
import { connectDeployed } from './forward-admin.ts'

export type DeployedLogin = {
  url: string
  /** What leads to it from this computer; null = the address of the Ingress does. */
  forward: string | null
  /** What makes this computer find the Ingress by its name, once; null = it needs none. */
  hosts: string | null
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
  const address = formatCall(clusterAddress(settings))
  const hosts = isHere ? null : `echo "$(${address}) ${hostname}" | sudo tee -a /etc/hosts`
  return { url, forward, hosts }
}

/** The words of the original, with what it takes to get there. */
export function describeLogin({ url, forward, hosts }: DeployedLogin): string {
  const before = forward === null ? '' : `Leave this running meanwhile:\n\n  ${forward}\n\n`
  const once =
    hosts === null ? '' : `Where this computer does not know the name yet:\n\n  ${hosts}\n\n`
  return `Login done. ${once}${before}Open your browser at:\n\n  ${url}\n\nDone.`
}
