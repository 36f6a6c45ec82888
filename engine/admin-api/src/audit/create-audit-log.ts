import type { Logger } from '@kre/service-kit'
import type { AuditStore } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { createAudit } from './audit.ts'
import { createChain } from './chain.ts'
import { deriveChainKey } from './chain-key.ts'
import { createCheckIntegrity } from './check-integrity.ts'

/** The audit log over a store: its writing end, and its check. */
export function createAuditLog(deps: {
  audit: AuditStore
  pepper: Buffer
  now: () => Date
  logger: Logger
  /** Tells engines on one store apart; the same after a restart. */
  engine: string
}): Pick<FeatureDeps, 'auditLog' | 'checkAudit' | 'isGenuine'> {
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
  }
}
