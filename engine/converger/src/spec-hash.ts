import { createHash } from 'node:crypto'
import type { EntrypointSpec, NodeMember, NodeSpec } from '@kre/contracts'
import { keyedDigest } from '@kre/service-kit/secrets'

/**
 * Short digest of a spec; equal specs give equal hashes, whatever the order of their keys. Configuration values count
 * by keyed digests, because hashes are stored and shown and nobody shall try values against them.
 */
export function specHash(spec: NodeSpec | EntrypointSpec, configKey: Buffer): string {
  const hashed = spec.kind === 'node' ? withDigests(spec, configKey) : spec
  const sorted = JSON.stringify(hashed, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
  return createHash('sha256').update(sorted).digest('hex').slice(0, 16)
}

function withDigests(spec: NodeSpec, key: Buffer): NodeSpec {
  const digests = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        keyedDigest(key, ['spec', spec.runtimeId, name], value),
      ]),
    )
  const of = <T extends NodeMember>(member: T): T => ({
    ...member,
    config: { variables: digests(member.config.variables), files: digests(member.config.files) },
  })
  return { ...of(spec), ...(spec.fused === undefined ? {} : { fused: spec.fused.map(of) }) }
}
