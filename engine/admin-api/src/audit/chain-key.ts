import { createHmac, createSecretKey, hkdfSync } from 'node:crypto'
import type { AuditAnchor, AuditHead, AuditLink } from '@kre/store'
import { equalHashes } from '../sign-in/tokens.ts'

/** `prevHash` of the first link. */
export const GENESIS_HASH = '0'.repeat(64)

export type UnsealedLink = Omit<AuditLink, 'keyId' | 'hash'>

/** What makes links and heads provably ours: without the engine's pepper nobody can make one that passes. */
export type ChainKey = {
  /** Names the key without saying anything about it: 8 hexadecimal digits. */
  readonly id: string
  seal(link: UnsealedLink): AuditLink
  /** `other-key`: made with another pepper, so nothing can be said; `forged`: changed, or never ours. */
  check(link: AuditLink): 'genuine' | 'forged' | 'other-key'
  sealHead(link: Pick<AuditLink, 'seq' | 'hash'>): AuditHead
  isOwnHead(head: AuditHead): boolean
  /** Of the last link that retention removes. */
  sealAnchor(link: Pick<AuditLink, 'seq' | 'hash'>): AuditAnchor
  isOwnAnchor(anchor: AuditAnchor): boolean
}

/** @param pepper the engine's own, at least 32 bytes. */
export function deriveChainKey(pepper: Buffer): ChainKey {
  const secret = Buffer.from(hkdfSync('sha256', pepper, '', 'kre audit chain v1', 32))
  // A key object is set up once, bytes for each link.
  const key = createSecretKey(secret)
  const sign = (fields: readonly unknown[]): string =>
    createHmac('sha256', key).update(JSON.stringify(fields)).digest('hex')
  const id = sign(['key id']).slice(0, 8)
  const hashOf = (link: UnsealedLink): string => sign(signedFields(link, id))
  const macOf = (what: 'head' | 'anchor', { seq, hash }: Pick<AuditLink, 'seq' | 'hash'>): string =>
    sign([what, seq, hash])

  return {
    id,
    seal: (link) => ({ ...link, keyId: id, hash: hashOf(link) }),
    check(link) {
      if (link.keyId !== id) return 'other-key'
      return equalHashes(hashOf(link), link.hash) ? 'genuine' : 'forged'
    },
    sealHead: ({ seq, hash }) => ({ seq, hash, mac: macOf('head', { seq, hash }) }),
    isOwnHead: (head) => equalHashes(macOf('head', head), head.mac),
    sealAnchor: ({ seq, hash }) => ({ seq, hash, mac: macOf('anchor', { seq, hash }) }),
    isOwnAnchor: (anchor) => equalHashes(macOf('anchor', anchor), anchor.mac),
  }
}

/** Everything that a link says, in an order that never changes; JSON keeps neighbours apart. */
function signedFields(link: UnsealedLink, keyId: string): readonly unknown[] {
  const { seq, kind, intentSeq, at, actor, type, runtimeId, versionId, body, prevHash } = link
  return [
    'link',
    seq,
    kind,
    intentSeq,
    at.getTime(),
    actor,
    type,
    runtimeId,
    versionId,
    body,
    keyId,
    prevHash,
  ]
}
