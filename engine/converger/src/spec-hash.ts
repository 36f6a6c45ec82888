import { createHash } from 'node:crypto'
import type { EntrypointSpec, NodeMember, NodeSpec } from '@kre/contracts'
import { keyedDigest } from '@kre/service-kit/secrets'

/**
 * Short digest of a spec; equal specs give equal hashes, whatever the order of their keys. Configuration values count
 * by keyed digests, because hashes are stored and shown and nobody shall try values against them.
 */
export function specHash(spec: NodeSpec | EntrypointSpec, configKey: Buffer): string {
  return digestOf(spec.kind === 'node' ? withDigests(spec, configKey) : spec)
}

/** Short digest of the values of a configuration alone, each by a keyed digest too. */
export function configHash(
  { runtimeId, config }: Pick<NodeMember, 'runtimeId' | 'config'>,
  configKey: Buffer,
): string {
  return digestOf(digestsOf(config, runtimeId, configKey))
}

function digestOf(value: object): string {
  const sorted = JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
  return createHash('sha256').update(sorted).digest('hex').slice(0, 16)
}

function withDigests(spec: NodeSpec, key: Buffer): NodeSpec {
  const of = <T extends NodeMember>(member: T): T => ({
    ...member,
    config: digestsOf(member.config, spec.runtimeId, key),
  })
  return { ...of(spec), ...(spec.fused === undefined ? {} : { fused: spec.fused.map(of) }) }
}

function digestsOf(
  { variables, files }: NodeMember['config'],
  runtimeId: string,
  key: Buffer,
): NodeMember['config'] {
  const digests = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        keyedDigest(key, ['spec', runtimeId, name], value),
      ]),
    )
  return { variables: digests(variables), files: digests(files) }
}
