/**
 * What the audit log costs: `node engine/admin-api/src/testing/measure-audit.ts [operations]`. Writes that many
 * operations (100,000) into a folder of its own, lists them by every filter, verifies them, and appends some more.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { performance } from 'node:perf_hooks'
import { createLogger } from '@kre/service-kit'
import { openSqliteStore, type AuditLink, type AuditQuery, type AuditStore } from '@kre/store'
import { createAudit } from '../audit/audit.ts'
import { ACTIVITY_TYPES } from '../audit/activity-types.ts'
import { createChain } from '../audit/chain.ts'
import { deriveChainKey, GENESIS_HASH } from '../audit/chain-key.ts'
import { verifyChain } from '../audit/verify-chain.ts'

const OPERATIONS = Number(process.argv[2] ?? 100_000)
const ROUNDS = 20
const APPENDS = 200
const key = deriveChainKey(Buffer.alloc(32, 7))
const dataDir = await mkdtemp(join(tmpdir(), 'kre-audit-'))
const print = (what: string, value: string): void =>
  void process.stdout.write(`${what.padEnd(40)} ${value}\n`)

try {
  await (await openSqliteStore({ dataDir }))[Symbol.asyncDispose]()
  fill(new DatabaseSync(join(dataDir, 'audit.sqlite')))
  await using store = await openSqliteStore({ dataDir })
  const { audit } = store
  await measureLists(audit)
  await measureVerify(audit)
  await measureAppends(audit)
} finally {
  await rm(dataDir, { recursive: true, force: true })
}

async function measureLists(audit: AuditStore): Promise<void> {
  const lists: Record<string, Omit<AuditQuery, 'limit'>> = {
    'first page': {},
    'a page in the middle': { beforeSeq: OPERATIONS },
    'an actor': { actor: 'user7@kre.io' },
    'an actor that nobody is': { actor: 'nobody@kre.io' },
    'the rarest type': { types: ['ROTATE_MASTER_KEY'] },
    'a version that is not there': { versionIds: ['nope'] },
    'a runtime, three types, a day long ago': {
      runtimeIds: ['runtime-3'],
      types: ['LOGIN', 'LOGOUT', 'OTHER'],
      from: new Date(1_770_000_000_000),
      to: new Date(1_770_000_050_000),
    },
  }
  for (const [what, query] of Object.entries(lists)) {
    const times: number[] = []
    const used = process.cpuUsage()
    for (let round = 0; round < ROUNDS; round += 1) {
      const began = performance.now()
      await audit.outcomes({ ...query, limit: 31 })
      times.push(performance.now() - began)
    }
    times.sort((one, other) => one - other)
    const [median, worst] = [times[ROUNDS / 2] ?? 0, times.at(-1) ?? 0]
    const { user, system } = process.cpuUsage(used)
    const cpu = (user + system) / 1000 / ROUNDS
    print(
      `list: ${what}`,
      `${median.toFixed(1)} ms median, ${worst.toFixed(1)} ms worst, ${cpu.toFixed(1)} ms of CPU`,
    )
  }
}

async function measureVerify(audit: AuditStore): Promise<void> {
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  const began = performance.now()
  const used = process.cpuUsage()
  const { links } = await verifyChain({ audit, key })
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(used)
  const cpu = (user + system) / 1e6
  const grown = (process.memoryUsage().rss - before) / 1024 / 1024
  const took = `${seconds.toFixed(2)} s (${cpu.toFixed(2)} s of CPU)`
  print('verify', `${links} links in ${took}, ${grown.toFixed(0)} MiB more`)
}

async function measureAppends(audit: AuditStore): Promise<void> {
  const now = () => new Date()
  const logger = createLogger('measure', { level: 'silent' })
  const log = createAudit({
    audit,
    chain: createChain({ audit, key, now }),
    now,
    logger,
    engine: 'e',
  })
  const began = performance.now()
  for (let n = 0; n < APPENDS; n += 1) {
    const entry = await log.begin({
      operation: 'Mutation.startVersion',
      requestId: `r${n}`,
      principal: 'login',
      address: '127.0.0.1',
      userAgent: 'measure',
      resource: {},
      args: {},
      comment: 'for a measurement',
      actor: 'user1@kre.io',
      type: 'START_VERSION',
      runtimeId: 'runtime-1',
      versionId: null,
    })
    await entry.succeed()
  }
  const each = (performance.now() - began) / APPENDS
  print('intent and outcome of an operation', `${each.toFixed(2)} ms`)
}

/** All in one transaction: flushing each link to the disk is what takes long. */
function fill(database: DatabaseSync): void {
  const insert = database.prepare(
    `INSERT INTO links (seq, kind, intent_seq, at, actor, type, runtime_id, version_id, body, key_id, prev_hash, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  database.exec('BEGIN')
  let prevHash = GENESIS_HASH
  for (let seq = 1; seq <= 2 * OPERATIONS; seq += 1) {
    const link = key.seal({ ...sample(seq), prevHash })
    const { kind, intentSeq, at, actor, type, runtimeId, versionId, body, keyId, hash } = link
    insert.run(
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
      hash,
    )
    prevHash = hash
  }
  database.exec('COMMIT')
  database.close()
}

function sample(seq: number): Omit<AuditLink, 'keyId' | 'hash' | 'prevHash'> {
  const isOutcome = seq % 2 === 0
  const operation = Math.ceil(seq / 2)
  // One type in a thousand operations, the others evenly.
  const isRare = operation % 1000 === 1
  const types = ACTIVITY_TYPES.filter((type) => type !== 'ROTATE_MASTER_KEY')
  const type = isRare ? 'ROTATE_MASTER_KEY' : types[operation % types.length]
  return {
    seq,
    kind: isOutcome ? 'outcome' : 'intent',
    intentSeq: isOutcome ? seq - 1 : seq,
    at: new Date(1_770_000_000_000 + seq * 1000),
    actor: `user${operation % 50}@kre.io`,
    type: type ?? 'OTHER',
    runtimeId: `runtime-${operation % 10}`,
    versionId: `version-${operation % 500}`,
    body: JSON.stringify({ operation: 'Mutation.sample', padding: 'x'.repeat(600), rows: [[]] }),
  }
}
