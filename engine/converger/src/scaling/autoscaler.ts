/**
 * Follows the load of nodes whose manifest asks for it: hears what their processes report, decides once a second
 * (`planScale`), and tells the converger, which alone acts. What was decided is on the target, where the next engine
 * finds it; load and history are observed anew.
 */
import {
  parseJson,
  SECOND_MS,
  WakeCall,
  type Workload,
  type WorkloadObservation,
  type WorkloadScaling,
} from '@kre/contracts'
import type { Increment, Logger, Reading } from '@kre/service-kit'
import { createLoadBook, LOAD_GAUGES } from './load-book.ts'
import { createNodeSights, nodeNames, workflowOf, type WorkflowName } from './node-sights.ts'
import { planScale, type ScaleFacts, type ScaleHistory } from './plan-scale.ts'

const LOOK_EVERY_MS = SECOND_MS

export type Autoscaler = Disposable & {
  /** Takes what a gauge of a process says. */
  read(reading: Reading): void
  /** Takes what a count of a process grew by. */
  count(increment: Increment): void
  /** Takes a message of `ALL_WAKE_CALLS`. */
  called(subject: string, data: Uint8Array): void
  /**
   * How many replicas a workload shall have.
   *
   * @param observed absent = it is not there. What an engine before this one has scaled it to, stays.
   */
  replicasOf(workload: Workload, observed: WorkloadObservation | undefined): number
  /** Told after each pass what shall run in a runtime, and what does. */
  seen(
    runtimeId: string,
    desired: readonly Workload[],
    observed: readonly WorkloadObservation[],
  ): void
  /** Calls back with the runtime of each decision. Returns the end of watching. */
  watch(onChange: (runtimeId: string) => void): () => void
  /** Replicas of all nodes, for `/metrics`. */
  gauges(): { name: string; labels: Readonly<Record<string, string>>; value: number }[]
  /** Decides anew; it does so once a second by itself. */
  look(): void
}

/** A workload that follows its load, and what was decided about it. */
type Scaled = {
  readonly id: string
  readonly runtimeId: string
  readonly scaling: WorkloadScaling
  /** In the order of `scaling.nodes`. */
  readonly nodes: readonly string[]
  readonly workflow: WorkflowName
  replicas: number
  /** Monotonic ms. */
  changedAt: number
  history: ScaleHistory
}

/** @param now monotonic ms. */
export function createAutoscaler(
  logger: Logger,
  now: () => number = () => performance.now(),
): Autoscaler {
  const sights = createNodeSights()
  const loads = createLoadBook(now, (node) => sights.find(node) !== undefined)
  const scaled = new Map<string, Scaled>()
  const activeAt = new Map<WorkflowName, number>()
  const listeners = new Set<(runtimeId: string) => void>()
  let lookedAt = now()

  const decide = (one: Scaled, replicas: number, why: string) => {
    logger.info({ workload: one.id, from: one.replicas, to: replicas }, why)
    one.replicas = replicas
    one.changedAt = now()
    one.history = []
    for (const listener of listeners) listener(one.runtimeId)
  }
  const markActive = (workflow: WorkflowName) => {
    // Processes are not believed to speak of workflows that do not run.
    if (sights.ofWorkflow(workflow).length > 0) activeAt.set(workflow, now())
  }
  /** Somebody wants something of it, or some node is at work, or not heard of. */
  const isActive = (workflow: WorkflowName) =>
    (activeAt.get(workflow) ?? -Infinity) >= lookedAt ||
    sights.ofWorkflow(workflow).some((name) => {
      const { inFlight, processes } = loads.read(name)
      return inFlight > 0 || processes < (sights.find(name)?.ready ?? 0)
    })
  const factsOf = (one: Scaled): ScaleFacts => {
    const heard = one.nodes.map((name) => loads.read(name))
    const ready = sights.find(one.nodes[0] ?? '')?.ready ?? 0
    return {
      ...one,
      now: now(),
      ready,
      loads: heard,
      isComplete: heard.every(({ processes }) => processes >= ready),
      isActive: isActive(one.workflow),
    }
  }
  const look = () => {
    const plans = [...scaled.values()].map((one) => [one, planScale(factsOf(one))] as const)
    lookedAt = now()
    for (const [one, { replicas, history }] of plans) {
      one.history = history
      if (replicas !== one.replicas) decide(one, replicas, 'scaled as its load asks for')
    }
  }
  const timer = setInterval(look, LOOK_EVERY_MS).unref()

  return {
    look,
    read({ process, name, labels, value }) {
      if (!isLoadGauge(name)) return
      loads.put(nameIn(labels), process, LOAD_GAUGES[name], value)
    },
    count({ name, labels }) {
      if (name === 'kre_node_calls_total') markActive(workflowOf(nameIn(labels)))
    },
    called(subject, data) {
      const call = WakeCall.safeParse(parseJson(Buffer.from(data).toString()))
      if (!call.success) return
      const [, runtime, version] = subject.split('.')
      const workflow = [runtime, version, call.data.workflow].join('/')
      markActive(workflow)
      for (const one of scaled.values())
        if (one.workflow === workflow && one.replicas === 0) decide(one, 1, 'woken by a request')
    },
    replicasOf(workload, observed) {
      const { id, scaling } = workload
      if (scaling === undefined) return workload.replicas
      const known = scaled.get(id)
      if (known !== undefined) return known.replicas
      const last = observed?.scale ?? workload.replicas
      const replicas = Math.min(Math.max(last, scaling.min), scaling.max)
      scaled.set(id, { ...newScaled(workload, scaling), replicas, changedAt: now() })
      return replicas
    },
    seen(runtimeId, desired, observed) {
      const gone = sights.put(runtimeId, desired, observed)
      loads.forget(gone)
      const wanted = new Set(desired.map(({ id }) => id))
      for (const one of scaled.values())
        if (one.runtimeId === runtimeId && !wanted.has(one.id)) scaled.delete(one.id)
      for (const workflow of new Set(gone.map(workflowOf)))
        if (sights.ofWorkflow(workflow).length === 0) activeAt.delete(workflow)
    },
    watch(onChange) {
      listeners.add(onChange)
      return () => void listeners.delete(onChange)
    },
    gauges: () =>
      sights.all().flatMap(({ labels, wanted, ready }) => [
        { name: 'kre_node_replicas_wanted', labels, value: wanted },
        { name: 'kre_node_replicas_ready', labels, value: ready },
      ]),
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

function newScaled(
  workload: Workload,
  scaling: WorkloadScaling,
): Omit<Scaled, 'replicas' | 'changedAt'> {
  const nodes = nodeNames(workload)
  const { id, runtimeId } = workload
  return { id, runtimeId, scaling, nodes, workflow: workflowOf(nodes[0] ?? ''), history: [] }
}

function isLoadGauge(name: string): name is keyof typeof LOAD_GAUGES {
  return Object.hasOwn(LOAD_GAUGES, name)
}

/** Of the node that a series is about. */
function nameIn(labels: Readonly<Record<string, string>>): string {
  const { runtime, version, workflow, node } = labels
  return [runtime, version, workflow, node].join('/')
}
