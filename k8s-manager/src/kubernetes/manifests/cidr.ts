/** Ranges of addresses that pods may talk to. Pure. */
import { isIPv4, isIPv6 } from 'node:net'
import { KreError } from '@kre/contracts'

/** Where clouds hand out credentials of the machine to whoever asks. */
const METADATA_IPV4 = '169.254.0.0/16'
const METADATA_IPV6 = ['fe80::/10', 'fd00:ec2::254/128']

/**
 * @throws KreError `invalid-argument` for what is no CIDR, or lies in a range that machines' credentials come from.
 */
export function withoutMetadata(cidr: string): { cidr: string; except?: string[] } {
  const block = parseCidr(cidr)
  if (block === null)
    throw new KreError(
      'invalid-argument',
      `"${cidr}" is no CIDR: write 10.0.0.0/8 or 2001:db8::/32`,
    )
  const guarded = block.bits === 32 ? [METADATA_IPV4] : METADATA_IPV6
  const ranges = guarded.flatMap((text) => {
    const range = parseCidr(text)
    return range === null ? [] : [{ text, ...range }]
  })
  const inside = ranges.find((range) => contains(range, block))
  if (inside !== undefined)
    throw new KreError(
      'invalid-argument',
      `"${cidr}" lies in ${inside.text}, where clouds hand out credentials of the machine: pods may not talk to it`,
    )
  const except = ranges.filter((range) => contains(block, range)).map(({ text }) => text)
  return except.length === 0 ? { cidr } : { cidr, except }
}

type Block = { bits: 32 | 128; prefix: number; address: bigint }

function contains(outer: Block, inner: Block): boolean {
  const shift = BigInt(outer.bits - outer.prefix)
  return (
    outer.bits === inner.bits &&
    outer.prefix <= inner.prefix &&
    outer.address >> shift === inner.address >> shift
  )
}

function parseCidr(text: string): Block | null {
  const [host = '', length = '', ...rest] = text.split('/')
  if (rest.length > 0 || !/^\d{1,3}$/.test(length)) return null
  const prefix = Number(length)
  if (isIPv4(host)) {
    const address = host.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
    return prefix > 32 ? null : { bits: 32, prefix, address }
  }
  if (!isIPv6(host) || prefix > 128 || host.includes('%')) return null
  return { bits: 128, prefix, address: ipv6Bits(host) }
}

function ipv6Bits(host: string): bigint {
  const [head = '', tail] = expandIpv4(host).split('::')
  const groups = (part: string | undefined) =>
    part === undefined || part === '' ? [] : part.split(':')
  const left = groups(head)
  const right = groups(tail)
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].reduce(
    (sum, group) => (sum << 16n) | BigInt(`0x${group}`),
    0n,
  )
}

/** `::ffff:1.2.3.4` in hexadecimal groups. */
function expandIpv4(host: string): string {
  const match = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host)
  if (match === null) return host
  const [, head = '', ...parts] = match
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number)
  return `${head}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}
