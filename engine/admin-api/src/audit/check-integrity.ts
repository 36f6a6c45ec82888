import { KreError } from '@kre/contracts'
import type { AuditStore } from '@kre/store'
import { authorize, type Principal } from '../principal.ts'
import type { ChainKey } from './chain-key.ts'
import { verifyChain, type Anchor, type ChainVerdict } from './verify-chain.ts'

export type CheckIntegrity = (command: {
  principal: Principal
  /** What the caller knows of an earlier export. */
  anchor: Anchor | null
}) => Promise<ChainVerdict>

/** Checks that are under way or wait; each reads the whole log. */
const CHECKS_MAX = 4

/** The integrity of the whole log, one check after the other. */
export function createCheckIntegrity(deps: { audit: AuditStore; key: ChainKey }): CheckIntegrity {
  let turn: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return async function checkIntegrity({ principal, anchor }) {
    authorize(principal, 'view whole audit')
    if (anchor !== null && !/^[0-9a-f]{64}$/.test(anchor.hash))
      throw new KreError('invalid-argument', 'head.hash: it is no hash of a link', {
        field: 'hash',
      })
    if (waiting >= CHECKS_MAX)
      throw new KreError(
        'resource-exhausted',
        'the audit log is being verified already: wait for the end of it',
      )
    waiting += 1
    const own = turn.then(() => verifyChain(deps, anchor))
    turn = own.catch(() => undefined)
    try {
      return await own
    } finally {
      waiting -= 1
    }
  }
}
