/** What an engine has outside of itself: processes, objects on NATS, files. Looked at from outside, by no code of the engine. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { joinLocalNatsServer } from '@kre/nats-manager'
import { connectNats } from '@kre/service-kit'

export type Belongings = {
  /** Pids of entrypoints, runners and workers. */
  processes: number[]
  /** Streams, those behind buckets included. */
  streams: string[]
  /** Stored archives by digest. */
  bundles: string[]
  /** Files of uploads under way. */
  scratch: string[]
  /** Extracted bundles. */
  extracted: string[]
  /** Records of processes, launch files, work folders. */
  run: string[]
}

export async function belongings(dataDir: string): Promise<Belongings> {
  const list = (path: string) => readdir(join(dataDir, path)).catch(() => [])
  const [bundles, scratch, extracted, streams, processes] = await Promise.all([
    list('bundles'),
    list('bundles/scratch'),
    list('cache/bundles'),
    listStreams(dataDir),
    listProcesses(dataDir),
  ])
  const run = await Promise.all(
    ['workloads', 'replicas', 'launch', 'work'].map(async (folder) =>
      (await list(`run/${folder}`)).map((name) => `${folder}/${name}`),
    ),
  )
  return {
    processes,
    streams,
    bundles: bundles.filter((name) => name !== 'scratch'),
    scratch,
    extracted,
    run: run.flat().toSorted(),
  }
}

/** Processes started for the folder: their launch file lies in it. Linux only; elsewhere none. */
export async function listProcesses(dataDir: string): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter((pid) => pid > 0)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      return environment.includes(`KRE_LAUNCH_FILE=${join(dataDir, 'run')}`) ? [pid] : []
    }),
  )
  return found.flat()
}

/** Processes whose command line names the folder: nats-server and its guard among them. */
export async function listProcessesNaming(dataDir: string): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter((pid) => pid > 0)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return command.includes(dataDir) ? [pid] : []
    }),
  )
  return found.flat()
}

/** A connection to the folder's nats-server, as its engine has it. */
export async function connectToNats(dataDir: string): Promise<NatsConnection> {
  const { engineAccess } = await joinLocalNatsServer(join(dataDir, 'nats'))
  return connectNats(engineAccess, 'test')
}

async function listStreams(dataDir: string): Promise<string[]> {
  const nats = await connectToNats(dataDir)
  try {
    const names: string[] = []
    for await (const { config } of (await jetstreamManager(nats)).streams.list())
      names.push(config.name)
    return names.toSorted()
  } finally {
    await nats.close()
  }
}
