import { openMessageTypes, type MessageTypes } from '@kre/bundle'
import type { Version } from '@kre/store'

/** Bundles whose descriptors stay in memory: those of the versions that people look at. */
const BUNDLES_MAX = 8

export type VersionTypes = (version: Pick<Version, 'bundleDigest' | 'facts'>) => MessageTypes

/** The messages of versions, read from their descriptors when somebody asks for the first time. */
export function createVersionTypes(): VersionTypes {
  /** By digest; the one that was used last is the last. */
  const known = new Map<string, MessageTypes>()
  return function typesOf({ bundleDigest, facts }) {
    const types = known.get(bundleDigest) ?? openMessageTypes(fromBase64(facts.descriptorSet))
    known.delete(bundleDigest)
    known.set(bundleDigest, types)
    const [oldest] = known.keys()
    if (known.size > BUNDLES_MAX && oldest !== undefined) known.delete(oldest)
    return types
  }
}

function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64')
}
