import { BlockList, isIP } from 'node:net'
import { KreError } from '@kre/contracts'

/** Hops of `X-Forwarded-For` that are looked at; more than any chain of proxies. */
const HOPS_MAX = 20

export type ClientAddress = (request: {
  /** Of the connection. */
  remote: string | undefined
  forwardedFor: string | string[] | undefined
}) => string

/**
 * Tells where a request comes from. `X-Forwarded-For` counts only as far as trusted proxies wrote it: read from its
 * end, the first address that is none of theirs is the client's; what stands before it anybody can have made up.
 *
 * @param trustedProxies addresses or networks (`10.0.0.0/8`, `fd00::/8`); empty = the header says nothing.
 * @throws KreError `invalid-argument` for one that is neither.
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const trusted = new BlockList()
  for (const entry of trustedProxies) addTo(trusted, entry)
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

  return function clientAddress({ remote, forwardedFor }) {
    let client = plainAddress(remote ?? '')
    if (!isTrusted(client)) return client
    const hops = [forwardedFor ?? []].flat().join(',').split(',').slice(-HOPS_MAX)
    for (const hop of hops.toReversed()) {
      const address = plainAddress(hop.trim())
      // What is no address was not written by a proxy of ours.
      if (isIP(address) === 0) break
      client = address
      if (!isTrusted(address)) break
    }
    return client
  }
}

function addTo(list: BlockList, entry: string): void {
  const [address = '', prefix, ...rest] = entry.split('/')
  const family = isIP(address)
  const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix)
  const legal =
    family !== 0 &&
    rest.length === 0 &&
    (prefix === undefined || /^\d{1,3}$/.test(prefix)) &&
    bits <= (family === 6 ? 128 : 32)
  if (!legal)
    throw new KreError(
      'invalid-argument',
      `the trusted proxy ${JSON.stringify(entry)} is no address and no network: write 10.0.0.5, 10.0.0.0/8 or fd00::/8`,
    )
  list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4')
}

/** IPv4 inside IPv6 (`::ffff:10.0.0.5`) as IPv4. */
function plainAddress(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}
