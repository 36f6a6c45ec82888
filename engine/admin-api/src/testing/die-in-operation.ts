/** Creates a runtime through the audit log and kills itself on the way; run as a process of its own. */
import { createLogger } from '@kre/service-kit'
import { openSqliteStore } from '@kre/store'
import { createAuditLog } from '../audit/create-audit-log.ts'
import { MUTATION_OPERATIONS } from '../audit/mutation-operations.ts'
import { perform } from '../audit/perform.ts'

const [dataDir = '', stage = ''] = process.argv.slice(2)
const dieAt = (here: string): void => {
  if (here === stage) process.kill(process.pid, 'SIGKILL')
}

const store = await openSqliteStore({ dataDir })
const logger = createLogger('dying', { level: 'silent' })
const { auditLog } = createAuditLog({
  audit: {
    ...store.audit,
    async append(link, head) {
      dieAt(`before ${link.kind}`)
      await store.audit.append(link, head)
      dieAt(`after ${link.kind}`)
    },
  },
  pepper: Buffer.alloc(32, 7),
  now: () => new Date(),
  logger,
  engine: 'engine',
})
const input = { id: 'demo', name: 'Demo', description: 'for a test' }
const operation = MUTATION_OPERATIONS['createRuntime']
if (operation === undefined) throw new Error('there is no such operation')
await perform(
  { ...store, auditLog, logger, lock: (_key, work) => work() },
  { name: 'Mutation.createRuntime', operation, input, principal: null, requestId: 'r1' },
  async () => {
    dieAt('before effect')
    await store.runtimes.create({ ...input, createdAt: new Date(), createdBy: 'ada@kre.io' })
    dieAt('after effect')
  },
)
