/**
 * Whether a `Host` header names this API. Any other name means that a foreign page made a browser look here
 * (DNS rebinding), so nothing is served under it.
 *
 * Loopback names are always ours; so is the host of the public URL, and the very address that the connection came to:
 * programs beside the engine, such as Prometheus, know no other, and a page of that address has come from here.
 *
 * @param localAddress of the connection's own end.
 */
export function isAllowedHost(
  header: string | undefined,
  publicUrl: string,
  localAddress: string | undefined,
): boolean {
  const host = hostName(header)
  if (host === null) return false
  if (host === '127.0.0.1' || host === '[::1]' || host === 'localhost') return true
  if (localAddress !== undefined && host === asHost(localAddress)) return true
  return host.endsWith('.localhost') || host === URL.parse(publicUrl)?.hostname
}

/** `name[:port]` without the port, in lower case; null when it is not of that form. */
function hostName(header: string | undefined): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i.exec(header ?? '')
  return match?.[1]?.toLowerCase() ?? null
}

/** As a URL has it. A socket for both families shows addresses of IPv4 in the form of IPv6. */
function asHost(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase()
  return plain.includes(':') ? `[${plain}]` : plain
}
