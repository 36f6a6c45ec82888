/** Fills the store of an engine that runs, behind its back: as much as a large installation has takes hours by its API. */
import { MINUTE_MS, type LogRecord } from '@kre/contracts'
import type { Store, Version } from '@kre/store'

export type Fill = {
  /** Of the measured runtime. */
  versions: number
  /** Other runtimes, with ten versions each. */
  runtimes: number
  /** Log lines of the version that is copied; each of its copies gets a thousandth of it. */
  logLines: number
}
/** A text that is in one line of 10,000. */
export const NEEDLE = 'needle'
export const NODES = ['n1', 'n2', 'n3']
const VERSIONS_OF_OTHERS = 10
const BATCH_LINES = 5_000
/** A request writes so many lines. */
const LINES_OF_REQUEST = 10

/**
 * @param store of the engine, opened beside it.
 * @param version a version of the runtime that was really uploaded: the others are copies of it.
 */
export async function fillStore(
  store: Store,
  { runtimeId, version }: { runtimeId: string; version: string },
  fill: Fill,
): Promise<void> {
  const original = await store.versions.find(runtimeId, version)
  if (original === null) throw new Error(`there is no version ${version} to copy`)
  for (let n = 1; n < fill.versions; n++) await copyVersion(store, original, runtimeId, n)
  for (let n = 1; n <= fill.runtimes; n++) {
    const id = `other-${n}`
    await store.runtimes.create({
      id,
      name: `Other ${n}`,
      description: 'measured',
      createdAt: new Date(),
      createdBy: 'bench@kre.local',
    })
    for (let of = 1; of <= VERSIONS_OF_OTHERS; of++) await copyVersion(store, original, id, of)
  }
  await writeLines(store, original, fill.logLines)
  for (let n = 1; n < fill.versions; n++)
    await writeLines(store, named(original, runtimeId, n), Math.ceil(fill.logLines / 1_000))
}

async function copyVersion(
  store: Store,
  original: Version,
  runtimeId: string,
  n: number,
): Promise<void> {
  await store.versions.create(named(original, runtimeId, n))
}

function named(original: Version, runtimeId: string, n: number): Version {
  const name = `copy-${n}`
  return { ...original, id: `${runtimeId}/${name}`, runtimeId, name, createdAt: new Date() }
}

async function writeLines(store: Store, version: Version, lines: number): Promise<void> {
  const now = Date.now()
  for (let from = 0; from < lines; from += BATCH_LINES) {
    const count = Math.min(BATCH_LINES, lines - from)
    await store.outputs.write(
      Array.from({ length: count }, (_, i) => lineOf(version, from + i, now - lines + from + i)),
    )
  }
}

/** Of three nodes; one in fifty is an error. */
function lineOf(version: Version, n: number, dateMs: number): LogRecord {
  const node = NODES[n % NODES.length] ?? ''
  return {
    kind: 'log',
    id: `${version.id}/${n}`,
    date: new Date(dateMs - MINUTE_MS).toISOString(),
    level: n % 50 === 0 ? 'ERROR' : 'INFO',
    message: n % 10_000 === 0 ? `${NEEDLE} ${n}` : `step ${n} of the request took ${n % 97} ms`,
    runtimeId: version.runtimeId,
    version: version.name,
    versionId: version.id,
    workflow: 'echo',
    workflowName: 'echo',
    node,
    nodeName: node,
    requestId: `${version.id}/${Math.floor(n / LINES_OF_REQUEST)}`,
  }
}
