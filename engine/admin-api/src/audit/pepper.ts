import type { AuditStore } from '@kre/store'
import { deriveChainKey } from './chain-key.ts'
import { createChain, notice } from './chain.ts'

export type PepperStore = Pick<AuditStore, 'newest'>

/** Whether the audit log was made with another pepper: the ids of both keys, or null. An empty log has no pepper. */
export async function findOtherPepper(
  audit: PepperStore,
  pepper: Buffer,
): Promise<{ own: string; needed: string } | null> {
  const newest = await audit.newest()
  const { id } = deriveChainKey(pepper)
  return newest === null || newest.keyId === id ? null : { own: id, needed: newest.keyId }
}

/** Goes on with another pepper, and says so in the log: from that link on it can be checked. */
export async function takeOverPepper(
  deps: { audit: AuditStore; now: () => Date },
  pepper: Buffer,
): Promise<void> {
  const other = await findOtherPepper(deps.audit, pepper)
  if (other === null) return
  const chain = createChain({ ...deps, key: deriveChainKey(pepper) })
  await chain.append(notice({ found: 'pepper-replaced', needed: other.needed }, deps.now()))
}
