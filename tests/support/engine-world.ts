/** Everything that an engine has made, without what differs from run to run: times, ids, pids, generations. */
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import type { Placement } from '@kre/contracts'
import { belongings, connectToNats } from './ledger-leftovers.ts'

export type World = Readonly<Record<string, unknown>>

export async function readWorld(dataDir: string): Promise<World> {
  const { processes, streams, bundles, scratch, extracted, run } = await belongings(dataDir)
  return {
    ...readRows(dataDir),
    processes: Object.fromEntries(await countStarts(processes)),
    streams,
    routing: await readRouting(dataDir, streams),
    bundles,
    scratch,
    extracted: extracted.map((name) => name.replace(/[.-][A-Za-z0-9]{6,}$/, '')).toSorted(),
    run: run.filter((name) => !name.endsWith('.log')),
    uploads: await readdir(join(dataDir, 'uploads')),
  }
}

/**
 * Processes by what they were started for, without the children they have themselves: more than one of the same
 * replica were started twice.
 */
export async function countStarts(pids: readonly number[]): Promise<Map<string, number>> {
  const found = await Promise.all(pids.map(readProcess))
  const living = found.filter((one) => one !== null)
  const counts = new Map<string, number>()
  for (const { launch, parent } of living) {
    const isChild = living.some((other) => other.pid === parent && other.launch === launch)
    if (!isChild) counts.set(launch, (counts.get(launch) ?? 0) + 1)
  }
  return new Map([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

async function readProcess(
  pid: number,
): Promise<{ pid: number; parent: number; launch: string } | null> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const launch = environment.split('\0').find((entry) => entry.startsWith('KRE_LAUNCH_FILE='))
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (launch === undefined || state === undefined || 'ZX'.includes(state)) return null
  return { pid, parent: Number(parent), launch: basename(launch) }
}

function readRows(dataDir: string): World {
  const db = new DatabaseSync(join(dataDir, 'kre.sqlite'), { readOnly: true, timeout: 5_000 })
  try {
    const rows = (sql: string) => db.prepare(sql).all()
    return {
      runtimes: rows('SELECT id, name FROM runtimes ORDER BY id'),
      versions: rows(
        'SELECT runtime_id, name, bundle_digest, published_at IS NULL AS never FROM versions ORDER BY runtime_id, name',
      ),
      config: rows('SELECT runtime_id, version, key FROM config_entries ORDER BY 1, 2, 3'),
      // A runtime that wants nothing may have said so before, or never.
      releases: rows(
        `SELECT runtime_id, running, published FROM releases AS r
         WHERE generation = (SELECT max(generation) FROM releases WHERE runtime_id = r.runtime_id)
           AND running <> '[]' ORDER BY 1`,
      ),
      locks: rows("SELECT name FROM leases WHERE name <> 'engine' ORDER BY 1"),
      placements: rows('SELECT placement FROM placements ORDER BY runtime_id').map((row) =>
        shortPlacement(JSON.parse(String(row['placement'])) as Placement),
      ),
    }
  } finally {
    db.close()
  }
}

function shortPlacement({ routed, failures, stages, workloads }: Placement): unknown {
  const seen = workloads.map(({ id, replicasWanted, replicas }) => ({
    id,
    replicasWanted,
    states: replicas.map(({ replica, state, reason }) => [replica, state, reason]),
  }))
  return { routed, failures, stages, workloads: seen.toSorted((a, b) => (a.id < b.id ? -1 : 1)) }
}

async function readRouting(dataDir: string, streams: readonly string[]): Promise<World> {
  const nats = await connectToNats(dataDir)
  try {
    const manager = await jetstreamManager(nats)
    const buckets = streams.filter((name) => name.startsWith('KV_RT_'))
    const entries = await Promise.all(
      buckets.map(async (stream) => {
        const { state } = await manager.streams.info(stream, { subjects_filter: '>' })
        const found = await Promise.all(
          Object.keys(state.subjects ?? {}).map((subject) => readEntry(manager, stream, subject)),
        )
        return [stream, found.filter((entry) => entry !== null).toSorted()]
      }),
    )
    return Object.fromEntries(entries)
  } finally {
    await nats.close()
  }
}

/** The key, with the published version where it says one; null for one that was removed, or that publishes nothing. */
async function readEntry(
  manager: JetStreamManager,
  stream: string,
  subject: string,
): Promise<string | null> {
  const message = await manager.streams.getMessage(stream, { last_by_subj: subject })
  if (message === null || message.header.get('KV-Operation') !== '') return null
  const { published } = message.json<{ published?: string | null }>()
  if (published === null) return null
  return `${subject} ${published ?? ''}`
}
