/** The life of one replica: start, handshake, death, restart, drain. One process at a time. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Announcement,
  type DeathNotice,
  isBlocked,
  monotonicMs,
  type ReplicaObservation,
  RESTARTS_UNTIL_ERROR,
  SECOND_MS,
  type StartStage,
  toKreError,
  type Workload,
} from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { restartDelayMs } from './backoff.ts'
import { type Ending, endingReason, type KillCause, overdueReason } from './ending-reason.ts'
import { readInFlight } from './in-flight-journal.ts'
import { endUser } from './isolation/replica-user.ts'
import type { LaunchRequest } from './launch-replica.ts'
import { endedAsAsked, interruptedAt, lastWords, sourceOf } from './last-words.ts'
import { limitOutput } from './output-file.ts'
import { isRunning } from './process-table.ts'
import { raceStop } from './race-stop.ts'
import { judgeHealth, NEW_HEALTH, type ReplicaHealth } from './replica-health.ts'
import { adoptProcess, drainProcess, type RunningProcess } from './running-process.ts'
import type { LocalSettings } from './settings.ts'
import { readStartStage } from './start-stage.ts'
import type { ProcessRecord, ReplicaPaths, StateFiles } from './state-files.ts'

export type Replica = {
  readonly number: number
  readonly specHash: string
  readonly pid: number | null
  /** User of its own; null = the engine's, or no process. */
  readonly uid: number | null
  readonly isReady: boolean
  readonly isStopping: boolean
  /** Whether its processes ended or could not be prepared since it was last ready. */
  readonly hasFailed: boolean
  /** Why it is not ready, in a user's words. */
  readonly reason: string
  observe(): ReplicaObservation
  /** Takes limits over that don't need a new process. */
  update(workload: Workload): void
  /** A message of its process. */
  announced(announcement: Announcement): void
  /** The process answered where no announcement can be waited for. */
  answered(): void
  /** Called every `tickMs`; `isAudible` false = announcements can't arrive now, so silence means nothing. */
  tick(isAudible: boolean, usedBytes: number | null): void
  /** Called every `deadlineTickMs`: ends a process whose thread user code blocks beyond its deadlines. */
  watchDeadlines(): void
  /** SIGTERM, then SIGKILL a second after the drain, by whose end a process ends itself. Calls `onGone` at the end. */
  stop(): void
}

type Started = { process: RunningProcess; record: ProcessRecord }

export type ReplicaDeps = {
  state: StateFiles
  settings: LocalSettings
  logger: Logger
  launch: (request: LaunchRequest) => Promise<Started | null>
  publishDeath: (workload: Workload, notice: DeathNotice) => void
  onChange: () => void
  onGone: () => void
  /** Whether another process of the workload lives. */
  hasSibling: () => boolean
  report: (message: string) => void
  /** The target lets go of its processes, which go on running. */
  released: AbortSignal
}

/** What changes in a replica's life. */
type Life = {
  readonly deps: ReplicaDeps
  readonly number: number
  readonly paths: ReplicaPaths
  readonly stopRequest: AbortController
  workload: Workload
  current: Started | null
  isReady: boolean
  reason: string
  restarts: number
  /** In a row, since it was last healthy. */
  failures: number
  /** Between two starts. */
  isPausing: boolean
  /** How long it has been wanted and not ready, its preparation and all its starts together, in milliseconds. */
  waitedMs: number
  isOverdue: boolean
  /** What was last said of its process that is not ready in time; null = nothing yet. */
  overdueSaid: string | null
  killedFor: KillCause | null
  /** Its last process was killed because its start took too long. */
  isTooSlow: boolean
  /** It looked blocked the last time. */
  isSuspect: boolean
  health: ReplicaHealth
}

/** @param previous a process that an engine before this one started; null = start one. */
export function createReplica(
  deps: ReplicaDeps,
  number: number,
  workload: Workload,
  previous: ProcessRecord | null,
): Replica {
  const life: Life = {
    deps,
    number,
    paths: deps.state.pathsOf(workload.id, number),
    stopRequest: new AbortController(),
    workload,
    current: null,
    isReady: false,
    reason: '',
    restarts: previous?.restarts ?? 0,
    failures: 0,
    isPausing: false,
    waitedMs: 0,
    isOverdue: false,
    overdueSaid: null,
    killedFor: null,
    isTooSlow: false,
    isSuspect: false,
    health: NEW_HEALTH,
  }
  live(life, previous).catch((error: unknown) => {
    deps.logger.error({ error, workload: workload.id, replica: number }, 'supervision failed')
    life.reason = toKreError(error).message
    deps.onChange()
  })
  return {
    number,
    get specHash() {
      return life.workload.specHash
    },
    get pid() {
      return life.current?.process.pid ?? null
    },
    get uid() {
      return life.current?.record.uid ?? null
    },
    get isReady() {
      return life.isReady && !isStopping(life)
    },
    get isStopping() {
      return isStopping(life)
    },
    get hasFailed() {
      return life.failures > 0 || life.isOverdue
    },
    get reason() {
      return life.reason
    },
    observe: () => observe(life),
    update(changed) {
      life.workload = changed
    },
    announced: (announcement) => hear(life, announcement),
    answered: () => becomeReady(life),
    tick: (isAudible, usedBytes) => tick(life, isAudible, usedBytes),
    watchDeadlines: () => watchDeadlines(life),
    stop: () => stop(life),
  }
}

const isStopping = (life: Life) => life.stopRequest.signal.aborted
const isOver = (life: Life) => isStopping(life) || life.deps.released.aborted

async function live(life: Life, previous: ProcessRecord | null): Promise<void> {
  const { deps } = life
  let isRestart = previous !== null
  if (previous !== null) adopt(life, previous)
  while (!isOver(life)) {
    const isPrepared =
      life.current !== null || (await raceStop(launch(life, isRestart), life.stopRequest.signal))
    isRestart = true
    const started = life.current
    if (started !== null) {
      const ending = await started.process.ended
      // What left its group, too: nothing else runs as that user.
      await endUser(started.record.uid)
      if (deps.released.aborted) return
      recordEnd(life, started, ending)
    }
    if (isOver(life)) break
    deps.onChange()
    const failed = life.isTooSlow ? 'start' : isPrepared ? 'process' : 'preparation'
    await pause(life, restartDelayMs(life.failures, failed))
  }
  if (deps.released.aborted) return
  deps.state.forgetReplica(life.paths)
  deps.onGone()
}

function adopt(life: Life, previous: ProcessRecord): void {
  if (previous.ready) life.deps.state.forgetLaunch(life.paths)
  const isAlive = isRunning(previous.pid, previous.identity)
  begin(life, {
    process: adoptProcess(previous, life.deps.settings.adoptedPollMs, life.deps.released),
    record: { ...previous, ready: previous.ready && isAlive },
  })
}

/** @returns false when its files or packages could not be prepared. */
async function launch(life: Life, isRestart: boolean): Promise<boolean> {
  const { deps } = life
  try {
    const started = await deps.launch({
      workload: life.workload,
      replica: life.number,
      restarts: life.restarts,
      isRestart,
      sharesPort: deps.hasSibling(),
      isStillWanted: () => !isOver(life),
      report: (message) => {
        // A reason to fail is worth more than the progress of the next attempt.
        if (isOver(life) || life.failures > 0 || life.isOverdue) return
        life.reason = message
        deps.report(message)
        deps.onChange()
      },
    })
    if (started === null) return true
    if (isStopping(life)) {
      // Started in the very moment of the stop: nobody waits for it, and it has taken nothing yet.
      started.process.kill('SIGKILL')
      await started.process.ended
      await endUser(started.record.uid)
      return true
    }
    if (life.failures === 0 && !life.isOverdue) life.reason = ''
    begin(life, started)
    return true
  } catch (error) {
    if (!isOver(life)) fail(life, toKreError(error).message)
    return false
  }
}

function begin(life: Life, started: Started): void {
  life.current = started
  life.isReady = started.record.ready
  life.killedFor = null
  life.isSuspect = false
  life.health = NEW_HEALTH
  life.deps.onChange()
}

function hear(life: Life, announcement: Announcement): void {
  const { spec } = life.workload
  if (life.current === null || announcement.state !== 'ready') return
  if (spec.kind === 'node' && announcement.bundleDigest !== spec.bundleDigest) {
    life.reason = `runs bundle ${announcement.bundleDigest} instead of ${spec.bundleDigest}`
    life.deps.onChange()
    return
  }
  becomeReady(life)
}

function becomeReady(life: Life): void {
  const { deps, current } = life
  life.health = { ...life.health, silentMs: 0 }
  if (life.isReady || current === null || isStopping(life)) return
  life.isReady = true
  life.isOverdue = false
  life.waitedMs = 0
  life.reason = ''
  current.record = { ...current.record, ready: true }
  deps.onChange()
  try {
    deps.state.forgetLaunch(life.paths)
    deps.state.saveRecord(life.paths, current.record)
  } catch (error) {
    // A full disk costs the next engine one handshake, nothing more.
    deps.logger.warn({ error, workload: life.workload.id }, 'readiness is not on record')
  }
}

function recordEnd(life: Life, started: Started, ending: Ending): void {
  const { deps, workload, killedFor } = life
  const output = lastWords(life, started.record)
  const reason = endingReason(ending, killedFor, output, sourceOf(workload))
  const wasAsked = isStopping(life)
  const isDrained = wasAsked && endedAsAsked(ending)
  life.current = null
  life.isReady = false
  life.isTooSlow = killedFor?.kind === 'frozen' || killedFor?.kind === 'never-ready'
  for (const { node, interrupted } of interruptedAt(life)) {
    if (isDrained && interrupted.length === 0) continue
    const { workflow } = node
    const { pid } = started.process
    const place = { workflow, node: node.node, replica: life.number, pid }
    deps.publishDeath(workload, { ...place, interrupted, reason })
  }
  if (!wasAsked) fail(life, reason)
}

function fail(life: Life, reason: string): void {
  const { deps, workload, number } = life
  life.reason = reason
  life.restarts += 1
  life.failures += 1
  const facts = { workload: workload.id, replica: number, restarts: life.restarts, reason }
  deps.logger.warn(facts, 'replica failed')
}

async function pause(life: Life, ms: number): Promise<void> {
  if (ms === 0) return
  life.isPausing = true
  life.deps.onChange()
  const signal = AbortSignal.any([life.stopRequest.signal, life.deps.released])
  await sleep(ms, undefined, { signal }).catch(() => undefined)
  life.isPausing = false
}

function tick(life: Life, isAudible: boolean, usedBytes: number | null): void {
  const { settings } = life.deps
  if (isStopping(life)) return
  watchStart(life)
  if (life.current === null) return
  limitOutput(life.paths.output, settings.outputBytesMax)
  const limitBytes = life.workload.memoryBytesMax ?? settings.memoryBytesMax
  const stage = life.isReady ? null : readStartStage(life.paths.work)
  const facts = { isReady: life.isReady, isAudible, usedBytes, limitBytes, stage }
  const { health, killFor, isProven, isOverdue } = judgeHealth(life.health, facts, settings)
  life.health = health
  if (isProven) life.failures = 0
  if (isOverdue) sayHowFar(life, life.current, stage)
  if (killFor !== null) kill(life, life.current, killFor)
}

/** Whatever a start waits for, it does not wait for ever without its version being in error. */
function watchStart(life: Life): void {
  const { tickMs, readyTimeoutMs } = life.deps.settings
  if (life.isReady) return
  life.waitedMs += tickMs
  if (life.waitedMs > readyTimeoutMs && !life.isOverdue)
    beOverdue(life, life.reason || `is not ready after ${readyTimeoutMs / SECOND_MS} s`)
}

/**
 * On a slow computer a start may be overdue before it has begun with user code: what is said of it goes on with it,
 * except where a reason to fail has been said since.
 */
function sayHowFar(life: Life, { record }: Started, stage: StartStage | null): void {
  if (life.isOverdue && life.reason !== life.overdueSaid) return
  const { startTimeoutMs } = life.deps.settings
  const output = lastWords(life, record)
  life.overdueSaid = overdueReason(startTimeoutMs, stage, output, sourceOf(life.workload))
  if (!life.isOverdue) return beOverdue(life, life.overdueSaid)
  if (life.reason === life.overdueSaid) return
  life.reason = life.overdueSaid
  life.deps.onChange()
}

function beOverdue(life: Life, reason: string): void {
  const { deps, workload, number } = life
  life.isOverdue = true
  life.reason = reason
  deps.logger.warn({ workload: workload.id, replica: number, reason }, 'replica is overdue')
  deps.onChange()
}

/**
 * Also while it drains: a blocked thread would hold up the end for no use. Two looks in a row must say the same, because
 * after a pause of the whole computer all deadlines have passed and the process has not had its turn yet.
 */
function watchDeadlines(life: Life): void {
  const { current, deps, workload, paths } = life
  if (current === null || !current.record.ready || workload.spec.kind !== 'node') return
  const calls = readInFlight(workload.spec, paths.work).flatMap((node) => node.calls)
  const wasSuspect = life.isSuspect
  life.isSuspect = isBlocked(calls, monotonicMs(), deps.settings.deadlineGraceMs)
  if (!life.isSuspect || !wasSuspect) return
  kill(life, current, { kind: 'blocked', requestIds: calls.map(({ requestId }) => requestId) })
}

function kill(life: Life, { process }: Started, cause: KillCause): void {
  life.killedFor ??= cause
  process.kill('SIGKILL')
}

function stop(life: Life): void {
  if (isStopping(life)) return
  life.stopRequest.abort()
  life.reason = life.current === null ? '' : 'finishes the requests it has taken'
  const { settings, released } = life.deps
  if (life.current !== null)
    void drainProcess(life.current.process, settings.drainMs + SECOND_MS, released)
  life.deps.onChange()
}

function observe(life: Life): ReplicaObservation {
  return {
    replica: life.number,
    state: stateOf(life),
    specHash: life.workload.specHash,
    pid: life.current?.process.pid ?? null,
    startedAt: life.current?.record.startedAt ?? null,
    restarts: life.restarts,
    isOverdue: life.isOverdue,
    reason: life.reason,
  }
}

/** A replica that failed so often that its version is in error stays in `backoff` until it is ready, or it would flicker. */
function stateOf(life: Life): ReplicaObservation['state'] {
  if (isStopping(life)) return 'stopping'
  if (life.isReady) return 'ready'
  return life.isPausing || life.failures >= RESTARTS_UNTIL_ERROR ? 'backoff' : 'starting'
}
