/** Ports of entrypoints: chosen once, then kept in `<data>/ports.json`. */
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { KreError } from '@kre/contracts'
import { z } from 'zod'
import { writeAtomically } from './state-files.ts'

/** In front of the id of a workload that is on its way out. Ids hold no space, and older engines read the file as well. */
const LEAVING = 'leaving '
/** Ports tried above the base before giving up: more runtimes than a laptop ever has. */
const PORTS_TRIED_MAX = 1_000

const PortsFile = z.record(z.string(), z.number().int().min(1).max(65_535))

export type Ports = {
  /**
   * The entrypoint's port, from the file or newly chosen. A runtime's published address never changes;
   * a version's changes only when somebody else took its port while nothing of the version ran.
   *
   * @param isOwn whether a process of the workload may hold the port already.
   * @throws KreError `failed-precondition` when another program listens on a published port.
   */
  take(workload: { id: string; version: string | null }, isOwn: boolean): Promise<number>
  /** Null = none chosen yet. */
  of(workloadId: string): number | null
  /**
   * Notes that the workload is being removed for good, before anything of it ends: an engine that is killed in the middle
   * leaves no port reserved for ever.
   */
  leave(workloadId: string): void
  /** It is wanted again. */
  keep(workloadId: string): void
  /** Those that are being removed for good, also by an engine before this one. */
  leaving(): string[]
  forget(workloadId: string): void
}

/**
 * @param publishedBase first port of published entrypoints, then +1 …; 0 = any free one.
 * @param onTaken is told when another program has a port that would have been chosen.
 */
export function openPorts(
  file: string,
  host: string,
  publishedBase: number,
  onTaken: (port: number) => void = () => undefined,
): Ports {
  const ports = new Map<string, number>(Object.entries(readPorts(file)))
  const save = () => writeAtomically(file, JSON.stringify(Object.fromEntries(ports), null, 2))
  const drop = (...names: readonly string[]) => {
    const dropped = names.filter((name) => ports.delete(name))
    if (dropped.length > 0) save()
  }
  let queue: Promise<unknown> = Promise.resolve()

  const choose = async (published: boolean): Promise<number> => {
    if (!published || publishedBase === 0) return freePort(host, 0)
    const taken = new Set(ports.values())
    for (let port = publishedBase; port < publishedBase + PORTS_TRIED_MAX; port++) {
      if (taken.has(port)) continue
      if (await isFree(host, port)) return port
      onTaken(port)
    }
    throw new KreError(
      'resource-exhausted',
      `no free port on ${host} between ${publishedBase} and ${publishedBase + PORTS_TRIED_MAX - 1}`,
    )
  }

  const take: Ports['take'] = async ({ id, version }, isOwn) => {
    const known = ports.get(id)
    if (known !== undefined && (isOwn || (await isFree(host, known)))) return known
    if (known !== undefined && version === null)
      throw new KreError(
        'failed-precondition',
        `port ${known} on ${host} belongs to this runtime, but another program listens on it: stop that program (ss -ltnp shows it)`,
        { port: known },
      )
    const port = await choose(version === null)
    ports.set(id, port)
    save()
    return port
  }

  return {
    take(workload, isOwn) {
      // One after the other, or two entrypoints would choose the same port.
      const result = queue.then(() => take(workload, isOwn))
      queue = result.catch(() => undefined)
      return result
    },
    of: (id) => ports.get(id) ?? null,
    leave(id) {
      const port = ports.get(id)
      if (port === undefined || ports.has(LEAVING + id)) return
      ports.set(LEAVING + id, port)
      save()
    },
    keep: (id) => drop(LEAVING + id),
    leaving: () =>
      [...ports.keys()].flatMap((name) =>
        name.startsWith(LEAVING) ? name.slice(LEAVING.length) : [],
      ),
    forget: (id) => drop(id, LEAVING + id),
  }
}

function readPorts(file: string): Record<string, number> {
  if (!existsSync(file)) return {}
  try {
    return PortsFile.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new KreError(
      'failed-precondition',
      `${file} can't be read: mend it, or remove it to give all runtimes new addresses`,
      {},
      { cause },
    )
  }
}

async function isFree(host: string, port: number): Promise<boolean> {
  return freePort(host, port).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') return false
      throw error
    },
  )
}

/** Listens for a moment, without sharing, so that anybody who listens already is noticed. */
async function freePort(host: string, port: number): Promise<number> {
  const server = createServer()
  server.listen({ host, port })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string')
    throw new KreError('internal', `no port in the address of ${host}`)
  return address.port
}
