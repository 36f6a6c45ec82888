/** What one pod is doing, in a user's words. Pure: the pod as the cluster shows it, and the time. */
import type { ReplicaObservation } from '@kre/contracts'
import type {
  V1ContainerState,
  V1ContainerStateTerminated,
  V1ContainerStateWaiting,
  V1ContainerStatus,
  V1Pod,
} from '@kubernetes/client-node'
import { MINUTE_MS, SECOND_MS } from '@kre/contracts'
import { ANNOTATION } from '../manifests/identity.ts'
import { PROGRAM_FOLDER, replicaNumber } from '../pod-layout.ts'

type Verdict = Pick<ReplicaObservation, 'state' | 'reason'> & {
  /** Waiting does not help: somebody has to change something. */
  isHopeless?: boolean
}

/** Names of containers that the engine itself puts into pods. */
const OWN_CONTAINERS: ReadonlySet<string> = new Set(['prepare', 'node', 'entrypoint'])
/** Characters of what a container said last. */
const SAID_CHARS_MAX = 1_000
/** 128 + SIGKILL, 128 + SIGTERM. */
const KILLED = new Set([137, 143])
/** What Node.js says of a program that an image has not, and a container runtime of Node.js itself. */
const MISSING_PROGRAM = new RegExp(
  String.raw`Cannot find module '(\S*/${PROGRAM_FOLDER}/(?:prepare|node-runner|entrypoint)\.js)'`,
)
const NO_NODE = /"node": (?:executable file not found|stat .*no such file)/
/** For so long the end of a container is told that works again. */
const RECENT_MS = 10 * MINUTE_MS

/** @param nowMs Unix ms; @param startTimeoutMs after so long a pod that is not ready is overdue. */
export function podState(pod: V1Pod, nowMs: number, startTimeoutMs: number): ReplicaObservation {
  const verdict = judge(pod, nowMs)
  const createdMs = toMs(pod.metadata?.creationTimestamp) ?? nowMs
  const isLate = nowMs - createdMs > startTimeoutMs
  const isWaiting = verdict.state === 'starting' || verdict.state === 'backoff'
  const isOverdue = isWaiting && (verdict.isHopeless === true || isLate)
  return {
    replica: replicaNumber(pod.metadata?.uid ?? ''),
    state: verdict.state,
    specHash: pod.metadata?.annotations?.[ANNOTATION.specHash] ?? '',
    pid: null,
    startedAt: startedAt(pod),
    restarts: restartsOf(pod),
    isOverdue,
    reason:
      isOverdue && verdict.reason === ''
        ? `is not ready after ${inTime(startTimeoutMs)}`
        : verdict.reason,
  }
}

function judge(pod: V1Pod, nowMs: number): Verdict {
  const { status, metadata } = pod
  if (metadata?.deletionTimestamp !== undefined) return { state: 'stopping', reason: 'drains' }
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded')
    return { state: 'backoff', reason: endedPod(pod) }
  const prepare = status?.initContainerStatuses?.find((one) => !letsStart(one))
  if (conditionOf(pod, 'Ready')?.status === 'True')
    return { state: 'ready', reason: recentEnd(pod, nowMs) }
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (scheduled?.status === 'False')
    return {
      state: 'starting',
      reason: `Unschedulable: no machine of the cluster takes it (${clean(scheduled.message) || scheduled.reason || 'no reason given'}); free what is missing, add a machine, or ask for less in the manifest`,
    }
  if (prepare !== undefined)
    return isOurs(prepare) ? judgePreparation(prepare) : judgeForeign(prepare)
  const own = ownContainer(pod)
  if (own === undefined) return { state: 'starting', reason: '' }
  const foreign = status?.containerStatuses?.find((one) => !isOurs(one) && !one.ready)
  return own.ready && foreign !== undefined ? judgeForeign(foreign) : judgeContainer(own)
}

/** Of the process itself: what is put into pods by a cluster, as a mesh does it, may come before it. */
function ownContainer({ status }: V1Pod): V1ContainerStatus | undefined {
  const all = status?.containerStatuses
  return all?.find(isOurs) ?? all?.[0]
}

function isOurs({ name }: V1ContainerStatus): boolean {
  return OWN_CONTAINERS.has(name)
}

/** Nobody who wrote the manifest knows of it. */
function judgeForeign(container: V1ContainerStatus): Verdict {
  const { state, reason, ...verdict } = judgeContainer(container)
  const what = `the container "${container.name}", which the cluster has put into the pod, is not ready`
  return { state, reason: reason === '' ? what : `${what}: ${reason}`, ...verdict }
}

function judgePreparation(container: V1ContainerStatus): Verdict {
  const waiting = container.state?.waiting
  const image = waiting === undefined ? null : imageProblem(waiting)
  if (image !== null) return image
  const ended = container.state?.terminated ?? container.lastState?.terminated
  if (ended === undefined || ended.exitCode === 0)
    return { state: 'starting', reason: 'fetches and unpacks its bundle' }
  return {
    state: 'backoff',
    reason: `InitFailed: its bundle could not be prepared, ${describeEnd(ended)}`,
  }
}

function judgeContainer(container: V1ContainerStatus): Verdict {
  const { waiting, terminated, running } = container.state ?? {}
  if (waiting !== undefined) {
    const image = imageProblem(waiting)
    if (image !== null) return image
    if (waiting.reason === 'CrashLoopBackOff')
      return { state: 'backoff', reason: endingOf(container) }
    if (
      waiting.reason === 'CreateContainerConfigError' ||
      waiting.reason === 'CreateContainerError'
    )
      return {
        state: 'backoff',
        reason: `${waiting.reason}: ${clean(waiting.message) || 'the container could not be made'}`,
        isHopeless: true,
      }
    return { state: 'starting', reason: clean(waiting.message) }
  }
  if (terminated !== undefined) return { state: 'backoff', reason: endingOf(container) }
  if (running === undefined) return { state: 'starting', reason: '' }
  const before = container.lastState?.terminated
  const again = before === undefined ? '' : `; before, it ${describeEnd(before)}`
  if (container.started === false)
    return { state: 'starting', reason: before === undefined ? '' : `is starting again${again}` }
  return {
    state: 'starting',
    reason: `ProbeFailed: it runs, but does not answer that it is ready${again}`,
  }
}

/** Of a container that was started again and works: what people who see a restart want to know. */
function recentEnd(pod: V1Pod, nowMs: number): string {
  const ended = ownContainer(pod)?.lastState?.terminated
  const atMs = toMs(ended?.finishedAt)
  if (ended === undefined || atMs === null || nowMs - atMs > RECENT_MS) return ''
  return `was started again after this: ${describeEnd(ended)}`
}

/** Null = the image is not the problem. */
function imageProblem(waiting: V1ContainerStateWaiting): Verdict | null {
  const message = clean(waiting.message)
  switch (waiting.reason ?? '') {
    case 'ErrImagePull':
      return { state: 'starting', reason: `the image can't be pulled: ${message}` }
    case 'ImagePullBackOff':
      return {
        state: 'backoff',
        reason: `ImagePullBackOff: the image can't be pulled (${message}); check its name, and the registry's login (images.pullSecrets)`,
        isHopeless: true,
      }
    case 'ErrImageNeverPull':
    case 'InvalidImageName':
    case 'ImageInspectError':
      return { state: 'backoff', reason: `${waiting.reason}: ${message}`, isHopeless: true }
    default:
      return null
  }
}

function endingOf(container: V1ContainerStatus): string {
  const ended = endOf(container.state) ?? endOf(container.lastState)
  if (ended === undefined) return 'CrashLoopBackOff: it ends again and again'
  if (ended.reason === 'OOMKilled') return describeEnd(ended)
  return `CrashLoopBackOff: ${describeEnd(ended)}`
}

function endOf(state: V1ContainerState | undefined): V1ContainerStateTerminated | undefined {
  return state?.terminated
}

function describeEnd(ended: V1ContainerStateTerminated): string {
  const said = clean(ended.message)
  const missing = MISSING_PROGRAM.exec(said)?.[1] ?? (NO_NODE.test(said) ? 'node' : null)
  if (missing !== null)
    return `its image has no program ${missing}: it is of another version of KRE than the engine, or none of KRE's; give the engine the images of its own release (versions.images of the chart; images of the settings, also those byName)`
  const output = said === '' ? '; it wrote nothing' : `: ${said}`
  if (ended.reason === 'OOMKilled')
    return 'OOMKilled: it used more memory than it may; give the node more (resources.memory) or make it use less'
  if (KILLED.has(ended.exitCode))
    return `was killed with code ${ended.exitCode} (its liveness or startup probe failed, or its memory ran out)${output}`
  return `exited with code ${ended.exitCode}${output}`
}

function endedPod({ status }: V1Pod): string {
  const why = clean(status?.message) || status?.reason || ''
  if (status?.reason === 'Evicted') return `Evicted by the cluster: ${why}`
  return why === '' ? 'the pod has ended; another one takes its place' : `the pod has ended: ${why}`
}

/** The next container starts: this one has ended well, or is a sidecar that has begun and goes on. */
function letsStart(container: V1ContainerStatus): boolean {
  const { state, started } = container
  return state?.terminated?.exitCode === 0 || (!isOurs(container) && started === true)
}

function conditionOf(pod: V1Pod, type: string) {
  return pod.status?.conditions?.find((condition) => condition.type === type)
}

function startedAt(pod: V1Pod): Date | null {
  const since = toMs(ownContainer(pod)?.state?.running?.startedAt)
  return since === null ? null : new Date(since)
}

function restartsOf({ status }: V1Pod): number {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  return all.reduce((sum, { restartCount }) => sum + restartCount, 0)
}

/** Watched objects come as JSON, whose times are texts. */
function toMs(time: Date | string | undefined): number | null {
  if (time === undefined) return null
  const ms = new Date(time).getTime()
  return Number.isNaN(ms) ? null : ms
}

/** One line, of bounded length: it comes from user code and from foreign programs. */
function clean(text: string | undefined): string {
  return (text ?? '')
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(-SAID_CHARS_MAX)
}

function inTime(ms: number): string {
  return ms >= 2 * MINUTE_MS ? `${Math.round(ms / MINUTE_MS)} min` : `${ms / SECOND_MS} s`
}
