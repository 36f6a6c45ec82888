/**
 * The target of a laptop: one process per entrypoint and node replica. Processes are no children of the engine's
 * fate: it may die and come back, they go on serving, and the next engine finds them by their records.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Announcement,
  controlSubject,
  KreError,
  type NatsAccess,
  type StageEvent,
  type Target,
  type TargetInfo,
  type Workload,
} from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { type AccessRenewal, createAccessRenewal } from './access-renewal.ts'
import { type Announcements, type NatsConnection, watchAnnouncements } from './announcements.ts'
import { applyPlan, createStage } from './apply-plan.ts'
import { createChangeNotifier } from './change-notifier.ts'
import { type Fleet, openFleet } from './fleet.ts'
import { openIsolation } from './isolation/open-isolation.ts'
import {
  type LaunchDeps,
  launchReplica,
  type RunnerCommands,
  runnerCommand,
} from './launch-replica.ts'
import { createMemoryMeter } from './memory-meter.ts'
import { pickEnvironment } from './pick-environment.ts'
import { openPorts } from './ports.ts'
import { type BundleTools, createPreparedBundles } from './prepare-bundle.ts'
import { probePublished } from './probe-published.ts'
import { canMeasureMemory } from './process-table.ts'
import { createPythonEnvironments } from './python-environment.ts'
import type { Replica } from './replica.ts'
import { DEFAULT_LOCAL_SETTINGS, type LocalSettings } from './settings.ts'
import { openStateFiles, type StateFiles } from './state-files.ts'

export type LocalTargetDeps = {
  /** What belongs to this target is below it: `run/`, `cache/bundles/`, `ports.json`. One engine at a time. */
  dataDir: string
  /** Python environments and compiled code, which several targets can share; `<dataDir>/cache` by default. */
  cacheDir?: string
  /** Canonical archives by digest. */
  bundles: { path(digest: string): Promise<string> }
  /** google.protobuf.FileDescriptorSet of a bundle. */
  descriptorSet: (digest: string) => Promise<Uint8Array>
  /** The engine's own connection. */
  nats: NatsConnection
  /** Credentials for the processes of a workload. */
  runnerAccess: (workload: Workload) => NatsAccess | Promise<NatsAccess>
  /** Another text whenever processes need other certificates for NATS than before. Absent = they have none. */
  certificates?: () => string
  logger: Logger
  /** The engine's environment; processes get the few variables of `pickEnvironment`. */
  environment: Readonly<Record<string, string | undefined>>
  ports: {
    /** First port of published entrypoints, 9000 for users; 0 = any free one. */
    publishedBase: number
  }
  /** Of Python nodes; `python3` by default. */
  python?: string
  /** Other programs in place of the runners, for tests. */
  commands?: RunnerCommands
  /** Other tools in place of @kre/bundle's, for tests. */
  bundleTools?: BundleTools
  /** What a version's processes wait for, as it happens. */
  onProgress?: (version: { runtimeId: string; version: string | null }, event: StageEvent) => void
  settings?: Partial<LocalSettings>
}

export type LocalTarget = Target &
  AsyncDisposable & {
    /** Drains and ends all processes, entrypoints first. Ports stay reserved. */
    stopAll(): Promise<void>
  }

/**
 * Opens the target and adopts what an engine before this one left running. Disposing it leaves all processes alone.
 *
 * @throws KreError `failed-precondition` when `ports.json` is damaged.
 */
export async function createLocalTarget(deps: LocalTargetDeps): Promise<LocalTarget> {
  const { logger } = deps
  const settings = { ...DEFAULT_LOCAL_SETTINGS, ...deps.settings }
  const released = new AbortController()
  const changes = createChangeNotifier((error) => logger.error({ error }, 'a watcher failed'))
  const launchDeps = await openFiles(deps, settings, released.signal)
  const announcements = watchAnnouncements(deps.nats, logger)
  const fleet = await openFleet({
    ...launchDeps,
    changes,
    logger,
    released: released.signal,
    launch: (request) => launchReplica(launchDeps, request),
    publishDeath: ({ runtimeId, version }, notice) => {
      if (version !== null)
        announcements.publish(controlSubject({ runtimeId, version }, 'gone'), notice)
    },
    report: ({ runtimeId, version, id }, message) =>
      deps.onProgress?.(
        { runtimeId, version },
        createStage(`prepare ${id}`, 'in-progress', message),
      ),
  })
  announcements.start({
    onAnnouncement: (announcement) => dispatch(fleet, announcement),
    onReconnect: () => announcements.ping(fleet.versions()),
  })
  announcements.ping(fleet.versions())
  const renewal = createAccessRenewal(deps.runnerAccess, logger, deps.certificates)
  const ticking = setInterval(
    lookAfter(fleet, launchDeps.state, renewal, announcements, logger),
    settings.tickMs,
  )
  const watching = setInterval(() => watchDeadlines(fleet, logger), settings.deadlineTickMs)
  probePublished(fleet, launchDeps.ports, settings.host, released.signal).catch((error: unknown) =>
    logger.error({ error }, 'published entrypoints are not looked after any more'),
  )

  return {
    async fetch(signal) {
      signal.throwIfAborted()
      return [...fleet.supervisors.values()].map((supervisor) => supervisor.observe())
    },
    apply(plan, signal) {
      if (released.signal.aborted)
        throw new KreError('failed-precondition', 'the local target was closed with its engine')
      return applyPlan(fleet, plan, signal)
    },
    watch: (onChange) => changes.watch(onChange),
    info: async () => describe(deps.dataDir),
    stopAll: async () => fleet.removeAll(),
    async [Symbol.asyncDispose]() {
      released.abort()
      clearInterval(ticking)
      clearInterval(watching)
      announcements.close()
    },
  }
}

async function openFiles(
  deps: LocalTargetDeps,
  settings: LocalSettings,
  released: AbortSignal,
): Promise<LaunchDeps> {
  const { dataDir, logger } = deps
  mkdirSync(dataDir, { recursive: true })
  const environment = pickEnvironment(deps.environment)
  const cacheDir = deps.cacheDir ?? join(dataDir, 'cache')
  return {
    state: openStateFiles(dataDir, (path, problem) =>
      logger.warn({ path, problem }, 'a state file could not be read and was removed'),
    ),
    ports: openPorts(join(dataDir, 'ports.json'), settings.host, deps.ports.publishedBase, (port) =>
      logger.info({ progress: true }, `port ${port} is taken: trying the next one`),
    ),
    bundles: createPreparedBundles(join(dataDir, 'cache', 'bundles'), {
      path: (digest) => deps.bundles.path(digest),
      descriptorSet: deps.descriptorSet,
      tools: deps.bundleTools ?? (await import('@kre/bundle')),
      onUnstripped: (digest, error) =>
        logger.warn({ error, digest }, 'nodes strip the types of a bundle themselves'),
    }),
    python: createPythonEnvironments({
      cacheDir: join(cacheDir, 'python'),
      python: deps.python ?? 'python3',
      env: environment.forPip,
      signal: released,
    }),
    settings,
    isolation: openIsolation({
      mode: settings.isolation,
      dataDir,
      codeDir: join(cacheDir, 'code-of-nodes'),
      environment: deps.environment,
      env: environment.forProcesses,
      runner: deps.commands === undefined ? runnerCommand(settings) : null,
      logger,
    }),
    runnerAccess: deps.runnerAccess,
    commands: deps.commands ?? null,
    // Shared, so that code which one process has compiled is ready for the next.
    env: { ...environment.forProcesses, NODE_COMPILE_CACHE: join(cacheDir, 'code') },
  }
}

function lookAfter(
  fleet: Fleet,
  state: StateFiles,
  renewal: AccessRenewal,
  announcements: Announcements,
  logger: Logger,
): () => void {
  const meter = createMemoryMeter()
  return () => {
    const all = [...fleet.replicas()]
    const replicas = all.map(([, replica]) => replica)
    renewal.tick(
      all.flatMap(([{ workload }, { pid, uid, number }]) => {
        if (pid === null) return []
        return [{ workload, pid, uid, paths: state.pathsOf(workload.id, number) }]
      }),
    )
    const used = meter.measure(
      replicas.flatMap(({ pid, uid }) => (pid === null ? [] : [{ pid, uid }])),
    )
    for (const replica of replicas) {
      try {
        replica.tick(announcements.isAudible, used.get(replica.pid ?? 0) ?? null)
      } catch (error) {
        logger.error({ error, replica: replica.number }, 'a replica could not be looked after')
      }
    }
  }
}

/** Callers have their answer by then; it is the replica that is given back. */
function watchDeadlines(fleet: Fleet, logger: Logger): void {
  for (const [, replica] of fleet.replicas()) {
    try {
      replica.watchDeadlines()
    } catch (error) {
      logger.error({ error, replica: replica.number }, "a replica's deadlines could not be read")
    }
  }
}

function dispatch(fleet: Fleet, announcement: Announcement): void {
  for (const [{ workload }, replica] of fleet.replicas())
    if (isFrom(announcement, workload, replica)) replica.announced(announcement)
}

/** Pids are of this computer alone, but a process of another one may have the same. */
function isFrom(announcement: Announcement, { spec }: Workload, replica: Replica): boolean {
  return (
    announcement.pid === replica.pid &&
    announcement.role === spec.kind &&
    announcement.runtimeId === spec.runtimeId &&
    (spec.kind === 'entrypoint' ||
      (announcement.workflow === spec.workflow &&
        announcement.node === spec.node &&
        announcement.replica === replica.number))
  )
}

function describe(dataDir: string): TargetInfo {
  return {
    name: 'local',
    kind: 'local',
    facts: {
      dataDir,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      memoryLimit: canMeasureMemory ? 'enforced' : 'of the JavaScript heap only',
    },
  }
}
