/** From a workload to a process: its files, its launch file, its command. */
import { closeSync, mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type EntrypointLaunch,
  KreError,
  type NatsAccess,
  type NodeLaunch,
  type NodeSpec,
  type Workload,
} from '@kre/contracts'
import { runnerFlags } from '../runner-flags.ts'
import { withRenewal } from './access-renewal.ts'
import { type Isolation, isolateLaunch } from './isolation/isolate-launch.ts'
import { outputBytes } from './output-file.ts'
import type { Ports } from './ports.ts'
import type { PreparedBundles } from './prepare-bundle.ts'
import type { PythonEnvironments } from './python-environment.ts'
import { type RunningProcess, startProcess } from './running-process.ts'
import type { LocalSettings } from './settings.ts'
import {
  openForAppend,
  type ProcessRecord,
  type ReplicaPaths,
  type StateFiles,
} from './state-files.ts'

/** File and arguments that start a program which reads `KRE_LAUNCH_FILE`. */
export type RunnerCommands = {
  readonly node: readonly string[]
  readonly entrypoint: readonly string[]
}

export type LaunchDeps = {
  state: StateFiles
  bundles: PreparedBundles
  python: PythonEnvironments
  ports: Ports
  runnerAccess: (workload: Workload) => NatsAccess | Promise<NatsAccess>
  /** Null = the runners of this repository. */
  commands: RunnerCommands | null
  /** All that a process gets besides its launch file. */
  env: Readonly<Record<string, string>>
  settings: LocalSettings
  /** Awaited by the first node; null = nodes run as the engine's user and see what it sees. */
  isolation: () => Promise<Isolation | null>
}

export type LaunchRequest = {
  workload: Workload
  replica: number
  restarts: number
  /** A restart keeps the work folder: the journal in there says what the death interrupted. */
  isRestart: boolean
  /** Whether a living process of the workload may hold its port. */
  sharesPort: boolean
  /** Asked again after all preparation, because that can take minutes. */
  isStillWanted: () => boolean
  report: (message: string) => void
}

/**
 * Prepares and starts one process and puts it on record.
 *
 * @returns null when it was no longer wanted.
 * @throws KreError whose message is a reason for users.
 */
export async function launchReplica(
  deps: LaunchDeps,
  request: LaunchRequest,
): Promise<{ process: RunningProcess; record: ProcessRecord } | null> {
  const { workload, replica } = request
  const paths = deps.state.pathsOf(workload.id, replica)
  const { launch, cwd } = await prepareLaunch(deps, request, paths)
  const isolation = workload.spec.kind === 'node' ? await deps.isolation() : null
  if (!request.isStillWanted()) return null
  if (!request.isRestart)
    for (const path of [paths.work, paths.code]) rmSync(path, { recursive: true, force: true })
  mkdirSync(paths.temporary, { recursive: true, mode: 0o700 })
  deps.state.saveLaunch(paths, launch)

  const prepared = prepareProcess(deps, workload, paths, launch, isolation)
  const [file, ...args] = prepared.command
  const outputStart = outputBytes(paths.output)
  const output = openForAppend(paths.output)
  try {
    const process = await startProcess({
      file: file ?? '',
      args,
      cwd: cwd ?? paths.work,
      env: { ...deps.env, ...prepared.env, KRE_LAUNCH_FILE: paths.launch },
      output,
    })
    const record: ProcessRecord = {
      pid: process.pid,
      identity: process.identity,
      workload: { ...workload, isPartial: false },
      replica,
      restarts: request.restarts,
      uid: prepared.uid,
      ready: false,
      startedAt: new Date(),
      outputStart,
    }
    try {
      deps.state.saveRecord(paths, record)
    } catch (error) {
      // Unrecorded, it would be nobody's after the next start of the engine.
      process.kill('SIGKILL')
      throw error
    }
    return { process, record }
  } finally {
    closeSync(output)
  }
}

/** The command with its limits, what it gets besides `deps.env`, and its user; null = the engine's. */
function prepareProcess(
  deps: LaunchDeps,
  workload: Workload,
  paths: ReplicaPaths,
  launch: NodeLaunch | EntrypointLaunch,
  isolation: Isolation | null,
): { command: readonly string[]; env: Readonly<Record<string, string>>; uid: number | null } {
  const command = commandOf(deps, workload)
  if (isolation === null || launch.kind !== 'node')
    return {
      // No core dumps: they would hold every secret of the process.
      command: ['/bin/sh', '-c', 'ulimit -c 0; exec "$@"', 'kre', ...command],
      env: launch.kind === 'node' ? { TMPDIR: paths.temporary } : {},
      uid: null,
    }
  return isolateLaunch(isolation, {
    launch: paths.launch,
    work: paths.work,
    code: paths.code,
    bundle: dirname(launch.descriptorSetPath),
    cwd: launch.basePath,
    python: launch.python?.executable ?? null,
    command,
  })
}

async function prepareLaunch(
  deps: LaunchDeps,
  request: LaunchRequest,
  paths: ReplicaPaths,
): Promise<{ launch: NodeLaunch | EntrypointLaunch; cwd: string | null }> {
  const { workload, replica } = request
  const { host, drainMs, engineAbsenceMs, tracing } = deps.settings
  const nats = await deps.runnerAccess(workload)
  const place = {
    nats: withRenewal(nats, paths),
    replica,
    drainMs,
    engineAbsenceMs,
    ...(tracing === null ? {} : { tracing }),
  }
  const { spec } = workload
  if (spec.kind === 'entrypoint') {
    const port = await deps.ports.take(workload, request.sharesPort)
    return { launch: { ...spec, ...place, listen: { host, port } }, cwd: null }
  }
  const bundle = await deps.bundles.prepare(workload.bundleDigest ?? spec.bundleDigest)
  const python = await pythonOf(deps, spec, bundle, request.report)
  return {
    launch: {
      ...spec,
      ...place,
      basePath: bundle.basePath,
      descriptorSetPath: bundle.descriptorSetPath,
      ...(bundle.strippedPath === null ? {} : { strippedPath: bundle.strippedPath }),
      workPath: paths.work,
      python,
    },
    cwd: bundle.basePath,
  }
}

async function pythonOf(
  deps: LaunchDeps,
  spec: NodeSpec,
  bundle: { basePath: string; pythonModules: string },
  report: (message: string) => void,
): Promise<NodeLaunch['python']> {
  if (spec.runner !== 'python') return null
  const executable = await deps.python.ensure(bundle.basePath, report)
  return { executable, path: [bundle.pythonModules] }
}

function commandOf(
  deps: Pick<LaunchDeps, 'commands' | 'settings'>,
  workload: Pick<Workload, 'memoryBytesMax'> & { spec: Pick<Workload['spec'], 'kind'> },
): readonly string[] {
  const { kind } = workload.spec
  const command = deps.commands?.[kind]
  if (command !== undefined) {
    if (command.length === 0)
      throw new KreError('invalid-argument', `the command of "${kind}" is empty`)
    return command
  }
  return runnerCommand(deps.settings, kind, workload.memoryBytesMax)
}

/** How a runner of this repository is started. */
export function runnerCommand(
  settings: LocalSettings,
  kind: 'node' | 'entrypoint' = 'node',
  memoryBytesMax: number | null = null,
): readonly string[] {
  const limit = memoryBytesMax ?? settings.memoryBytesMax
  const folder = kind === 'node' ? 'node-runner' : 'entrypoint'
  const main = new URL(`../../../runners/${folder}/src/main.ts`, import.meta.url)
  return [process.execPath, ...runnerFlags(kind, limit), fileURLToPath(main)]
}
