import type { Logger } from '@kre/service-kit'
import type { AuditStore } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { createAudit } from './audit.ts'
import { createChain } from './chain.ts'
import { deriveChainKey } from './chain-key.ts'
import { createCheckIntegrity } from './check-integrity.ts'
import { retainLinks } from './retain-links.ts'

export type AuditLog = Pick<FeatureDeps, 'auditLog' | 'checkAudit' | 'isGenuine'> & {
  /** See `retainLinks`. */
  retainAudit: (olderThan: Date) => Promise<number>
}

/** The audit log over a store: its writing end, its check, and the removal of what is old. */
export function createAuditLog(deps: {
  audit: AuditStore
  pepper: Buffer
  now: () => Date
  logger: Logger
  /** Tells engines on one store apart; the same after a restart. */
  engine: string
}): AuditLog {
  const { audit, pepper, now, logger, engine } = deps
  const key = deriveChainKey(pepper)
  const chain = createChain({
    audit,
    key,
    now,
    onFinding: (finding) =>
      logger.error({ finding }, 'the audit log was tampered with: see krectl audit verify'),
  })
  return {
    auditLog: createAudit({ audit, chain, now, logger, engine }),
    checkAudit: createCheckIntegrity({ audit, key }),
    isGenuine: (link) => key.check(link) === 'genuine',
    retainAudit: (olderThan) => retainLinks({ audit, chain, key, now, logger }, olderThan),
  }
}
