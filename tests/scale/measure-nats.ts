/** One nats-server with more and more runtimes of one version each, and what making and looking after them costs. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsManager, NatsVersion } from '@kre/contracts'
import { sampleFacts, sampleNode } from '@kre/contracts/testing'
import { createNatsManager, openServerAccounts, startLocalNatsServer } from '@kre/nats-manager'
import { connectNats, createLogger, findNatsServer } from '@kre/service-kit'
import { quantile } from '../../bench/src/report/statistics.ts'
import { root } from '../support/kre.ts'
import { type NatsHoldings, natsHoldings, natsPid } from './nats-store.ts'
import { meterUsage } from './process-usage.ts'

export type NatsOptions = {
  /** Numbers of runtimes, ascending. */
  steps: readonly number[]
  say: (line: string) => void
  signal: AbortSignal
}

export type NatsStep = {
  runtimes: number
  holdings: NatsHoldings
  /** Until everything of one more runtime was made, and what of it the server's processor did. */
  make: { medianMs: number; serverCpuMs: number }
  /** A look at all of one runtime, of which nothing is missing. */
  look: { medianMs: number; p95Ms: number }
  serverMiB: number
}

/** Runtimes that are looked at for one figure. */
const LOOKS = 40

export async function measureNats({ steps, say, signal }: NatsOptions): Promise<NatsStep[]> {
  await using opened = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'kre-scale-nats-'))
  opened.defer(async () => rm(dir, { recursive: true, force: true }))
  const binary = await findNatsServer({
    cacheDir: join(root, '.kre/cache'),
    path: process.env['PATH'] ?? '',
  })
  const logger = createLogger('scale', { level: 'silent' })
  const server = await startLocalNatsServer({ dir, binary, engineAbsenceMs: 60_000, logger })
  opened.defer(async () => server.stop())
  const accounts = opened.use(await openServerAccounts(server, 3_600_000))
  const nats = await connectNats(server.engineAccess, 'scale')
  opened.defer(async () => nats.close())
  const manager = await createNatsManager(nats, accounts)
  const pid = await natsPid(dir)
  const found: NatsStep[] = []
  let made = 0
  for (const runtimes of steps) {
    const usage = meterUsage(pid)
    const makeMs: number[] = []
    for (let n = made; n < runtimes; n++) {
      signal.throwIfAborted()
      makeMs.push(await timed(async () => manager.converge(`r${n}`, [VERSION])))
    }
    const serverCpuMs = usage().cpuMs / (runtimes - made)
    made = runtimes
    const looks = await lookAt(manager, runtimes)
    const step: NatsStep = {
      runtimes,
      holdings: await natsHoldings(dir),
      make: { medianMs: quantile(ascending(makeMs), 0.5), serverCpuMs },
      look: { medianMs: quantile(looks, 0.5), p95Ms: quantile(looks, 0.95) },
      serverMiB: usage().residentMiB,
    }
    say(JSON.stringify(step))
    found.push(step)
  }
  return found
}

const VERSION: NatsVersion = {
  version: 'v1',
  versionId: 'id',
  bundleDigest: 'd',
  facts: sampleFacts([sampleNode('a', 'entrypoint'), sampleNode('b', 'a')]),
  wanted: true,
}

async function lookAt(manager: NatsManager, runtimes: number): Promise<number[]> {
  const took: number[] = []
  for (let n = 0; n < LOOKS; n++) {
    const runtimeId = `r${Math.floor((n * runtimes) / LOOKS)}`
    took.push(await timed(async () => manager.converge(runtimeId, [VERSION])))
  }
  return ascending(took)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

function ascending(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b)
}
