import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { HOUR_MS } from '@kre/contracts'
import { createLogger } from '@kre/service-kit'
import { openSqliteStore } from '@kre/store'
import { parseOutcomeBody } from './audit-record.ts'
import { deriveChainKey } from './chain-key.ts'
import { createAuditLog } from './create-audit-log.ts'
import { verifyChain } from './verify-chain.ts'

const pepper = Buffer.alloc(32, 7)
const logger = createLogger('test', { level: 'silent' })

/** Kills an operation at a stage, and starts on what it left behind. */
async function dieAndStart(stage: string, engine = 'engine', offsetMs = 0) {
  const dataDir = await mkdtemp(join(tmpdir(), 'kre-audit-'))
  try {
    const script = join(import.meta.dirname, '../testing/die-in-operation.ts')
    const child = spawn(process.execPath, ['--no-warnings', script, dataDir, stage], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const [, signal] = (await once(child, 'close')) as [number | null, string | null]
    await using store = await openSqliteStore({ dataDir })
    const now = () => new Date(Date.now() + offsetMs)
    const log = createAuditLog({ audit: store.audit, pepper, now, logger, engine })
    const closed = await log.auditLog.closeAbandoned()
    const records = (await store.audit.outcomes({ limit: 10 })).map(({ type, body }) => {
      const { outcome, requestId } = parseOutcomeBody(body) ?? {}
      return { type, outcome, requestId }
    })
    return {
      signal,
      closed,
      records,
      isDone: (await store.runtimes.find('demo')) !== null,
      verdict: await verifyChain({ audit: store.audit, key: deriveChainKey(pepper) }),
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

test.each([
  ['before intent', [], false],
  ['after intent', ['unknown'], false],
  ['before effect', ['unknown'], false],
  ['after effect', ['unknown'], true],
  ['before outcome', ['unknown'], true],
  ['after outcome', ['succeeded'], true],
])('an operation whose engine is killed %s is audited as %j', async (stage, outcomes, isDone) => {
  const left = await dieAndStart(stage)
  expect(left).toMatchObject({
    signal: 'SIGKILL',
    closed: outcomes.filter((outcome) => outcome === 'unknown').length,
    records: outcomes.map((outcome) => ({ type: 'CREATE_RUNTIME', outcome, requestId: 'r1' })),
    isDone,
    verdict: { ok: true, openIntents: 0 },
  })
})

test('another engine leaves an open operation alone until its engine must be gone', async () => {
  const soon = await dieAndStart('after effect', 'another')
  expect(soon).toMatchObject({ closed: 0, records: [], verdict: { ok: true, openIntents: 1 } })
  const later = await dieAndStart('after effect', 'another', HOUR_MS + 1)
  expect(later).toMatchObject({ closed: 1, records: [{ outcome: 'unknown' }] })
})
