/** The life of one replica: start, handshake, death, restart, drain. One process at a time. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Announcement,
  type DeathNotice,
  type ReplicaObservation,
  RESTARTS_UNTIL_ERROR,
  SECOND_MS,
  toKreError,
  type Workload,
} from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { HEALTHY_AFTER_MS, restartDelayMs } from './backoff.ts'
import { type Ending, endingReason, type KillCause } from './ending-reason.ts'
import { readInFlight } from './in-flight-journal.ts'
import type { LaunchRequest } from './launch-replica.ts'
import { limitOutput, readOutputTail } from './output-file.ts'
import { isRunning } from './process-table.ts'
import { adoptProcess, type RunningProcess } from './running-process.ts'
import type { LocalSettings } from './settings.ts'
import type { ProcessRecord, StateFiles } from './state-files.ts'

export type Replica = {
  readonly number: number
  readonly specHash: string
  readonly pid: number | null
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
  /** SIGTERM, then SIGKILL after the drain. Calls `onGone` at the end. */
  stop(): void
}

export type ReplicaDeps = {
  state: StateFiles
  settings: LocalSettings
  logger: Logger
  launch: (
    request: LaunchRequest,
  ) => Promise<{ process: RunningProcess; record: ProcessRecord } | null>
  publishDeath: (workload: Workload, notice: DeathNotice) => void
  onChange: () => void
  onGone: () => void
  /** Whether another process of the workload lives. */
  hasSibling: () => boolean
  report: (message: string) => void
  /** The target lets go of its processes, which go on running. */
  released: AbortSignal
}

/** A process that used all of its drain ends itself; the target's SIGKILL comes so much later. */
const KILL_GRACE_MS = SECOND_MS

/** @param previous a process that an engine before this one started; null = start one. */
export function createReplica(
  deps: ReplicaDeps,
  number: number,
  initialWorkload: Workload,
  previous: ProcessRecord | null,
): Replica {
  const { settings, state } = deps
  const paths = state.pathsOf(initialWorkload.id, number)
  const stopRequest = new AbortController()
  let workload = initialWorkload
  let current: { process: RunningProcess; record: ProcessRecord } | null = null
  let ready = false
  let reason = ''
  let restarts = previous?.restarts ?? 0
  let failures = 0
  let isWaiting = false
  let killedFor: KillCause | null = null
  // Counted in ticks, so that a stalled engine or a sleeping computer accuses nobody.
  let startingMs = 0
  let healthyMs = 0
  let silentMs = 0

  const isOver = () => stopRequest.signal.aborted || deps.released.aborted
  const begin = (started: { process: RunningProcess; record: ProcessRecord }) => {
    current = started
    ready = started.record.ready
    killedFor = null
    startingMs = healthyMs = silentMs = 0
    if (ready) reason = ''
    deps.onChange()
  }
  const becomeReady = () => {
    silentMs = 0
    if (ready || current === null) return
    ready = true
    reason = ''
    current.record = { ...current.record, ready }
    deps.onChange()
    try {
      state.saveRecord(paths, current.record)
    } catch (error) {
      // A full disk costs the next engine one handshake, nothing more.
      deps.logger.warn({ error, workload: workload.id, replica: number }, 'readiness not on record')
    }
  }
  const fail = (text: string) => {
    reason = text
    restarts += 1
    failures += 1
    deps.logger.warn({ workload: workload.id, replica: number, restarts, reason }, 'replica failed')
  }
  const kill = (cause: KillCause) => {
    killedFor = cause
    current?.process.kill('SIGKILL')
  }

  const launch = async (isRestart: boolean): Promise<boolean> => {
    try {
      const started = await deps.launch({
        workload,
        replica: number,
        restarts,
        isRestart,
        sharesPort: deps.hasSibling(),
        isStillWanted: () => !isOver(),
        report: (message) => {
          if (isOver() || failures > 0) return
          reason = message
          deps.report(message)
          deps.onChange()
        },
      })
      if (started === null) return true
      if (stopRequest.signal.aborted) {
        // Started in the very moment of the stop: nobody waits for it, and it has taken nothing yet.
        started.process.kill('SIGKILL')
        await started.process.ended
        return true
      }
      if (failures === 0) reason = ''
      begin(started)
      return true
    } catch (error) {
      if (!isOver()) fail(toKreError(error).message)
      return false
    }
  }

  const afterEnd = (
    started: { process: RunningProcess; record: ProcessRecord },
    ending: Ending,
  ) => {
    const wasAsked = stopRequest.signal.aborted
    current = null
    ready = false
    const { pid } = started.process
    const text = endingReason(
      ending,
      killedFor,
      readOutputTail(paths.output, started.record.outputStart),
    )
    const interrupted = readInFlight(paths.work)
    const endedWell =
      wasAsked && (ending.kind === 'unobserved' || (ending.kind === 'exit' && ending.code === 0))
    if (workload.spec.kind === 'node' && (!endedWell || interrupted.length > 0))
      deps.publishDeath(workload, {
        workflow: workload.spec.workflow,
        node: workload.spec.node,
        replica: number,
        pid,
        interrupted,
        reason: text,
      })
    if (!wasAsked) fail(text)
  }

  const live = async () => {
    let isRestart = previous !== null
    if (previous !== null) {
      const process = adoptProcess(previous, settings.adoptedPollMs, deps.released)
      const isAlive = isRunning(previous.pid, previous.identity)
      begin({ process, record: { ...previous, ready: previous.ready && isAlive } })
    }
    while (!isOver()) {
      const launched = current !== null || (await raceStop(launch(isRestart), stopRequest.signal))
      isRestart = true
      if (current !== null) {
        const started: NonNullable<typeof current> = current
        const ending = await started.process.ended
        if (deps.released.aborted) return
        afterEnd(started, ending)
      }
      if (isOver()) break
      deps.onChange()
      await pause(restartDelayMs(failures, launched ? 'process' : 'preparation'))
    }
    if (deps.released.aborted) return
    state.forgetReplica(paths)
    deps.onGone()
  }
  const pause = async (ms: number) => {
    if (ms === 0) return
    isWaiting = true
    deps.onChange()
    const wake = AbortSignal.any([stopRequest.signal, deps.released])
    await sleep(ms, undefined, { signal: wake }).catch(() => undefined)
    isWaiting = false
  }

  void live().catch((error: unknown) => {
    deps.logger.error({ error, workload: workload.id, replica: number }, 'supervision failed')
    reason = toKreError(error).message
    deps.onChange()
  })

  return {
    number,
    get specHash() {
      return workload.specHash
    },
    get pid() {
      return current?.process.pid ?? null
    },
    get isReady() {
      return ready && !stopRequest.signal.aborted
    },
    get isStopping() {
      return stopRequest.signal.aborted
    },
    get hasFailed() {
      return failures > 0
    },
    get reason() {
      return reason
    },
    observe: () => ({
      replica: number,
      state: stateOf({ isStopping: stopRequest.signal.aborted, ready, isWaiting, failures }),
      specHash: workload.specHash,
      pid: current?.process.pid ?? null,
      startedAt: current?.record.startedAt ?? null,
      restarts,
      reason,
    }),
    update(changed) {
      workload = changed
    },
    announced(announcement) {
      if (current === null || announcement.state !== 'ready') return
      if (
        workload.spec.kind === 'node' &&
        announcement.bundleDigest !== workload.spec.bundleDigest
      ) {
        reason = `runs bundle ${announcement.bundleDigest} instead of ${workload.spec.bundleDigest}`
        return
      }
      becomeReady()
    },
    answered: becomeReady,
    tick(isAudible, usedBytes) {
      if (current === null || stopRequest.signal.aborted) return
      limitOutput(paths.output, settings.outputBytesMax)
      const limitBytes = workload.memoryBytesMax ?? settings.memoryBytesMax
      if (usedBytes !== null && usedBytes > limitBytes)
        return kill({ kind: 'memory', usedBytes, limitBytes })
      if (!isAudible) {
        silentMs = 0
        return
      }
      if (ready) {
        healthyMs += settings.tickMs
        silentMs += settings.tickMs
        if (healthyMs >= HEALTHY_AFTER_MS) failures = 0
        if (silentMs > settings.silenceMs) kill({ kind: 'silent', afterMs: settings.silenceMs })
      } else {
        startingMs += settings.tickMs
        if (startingMs > settings.readyTimeoutMs)
          kill({ kind: 'never-ready', afterMs: settings.readyTimeoutMs })
      }
    },
    stop() {
      if (stopRequest.signal.aborted) return
      stopRequest.abort()
      reason = current === null ? '' : 'finishes the requests it has taken'
      void drain(current?.process ?? null, settings.drainMs + KILL_GRACE_MS, deps.released)
      deps.onChange()
    },
  }
}

/** A replica that failed so often that its version is in error stays in `backoff` until it is ready, or it would flicker. */
function stateOf(facts: {
  isStopping: boolean
  ready: boolean
  isWaiting: boolean
  failures: number
}): ReplicaObservation['state'] {
  if (facts.isStopping) return 'stopping'
  if (facts.ready) return 'ready'
  return facts.isWaiting || facts.failures >= RESTARTS_UNTIL_ERROR ? 'backoff' : 'starting'
}

async function drain(process: RunningProcess | null, withinMs: number, released: AbortSignal) {
  if (process === null) return
  process.kill('SIGTERM')
  const over = new AbortController()
  void process.ended.then(() => over.abort())
  const timedOut = await sleep(withinMs, true, {
    signal: AbortSignal.any([over.signal, released]),
  }).catch(() => false)
  if (timedOut) process.kill('SIGKILL')
}

/** Preparation can take minutes; a stop does not wait for it. What it starts then is not wanted any more. */
async function raceStop(work: Promise<boolean>, stop: AbortSignal): Promise<boolean> {
  if (stop.aborted) return work
  const over = new AbortController()
  const stopped = once(stop, 'abort', { signal: over.signal }).then(
    () => true,
    () => true,
  )
  const result = await Promise.race([work, stopped])
  over.abort()
  return result
}
