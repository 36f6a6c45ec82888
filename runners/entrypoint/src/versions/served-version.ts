import {
  type EntrypointMethod,
  ingressSubject,
  type VersionInterface,
  type VersionRef,
  type WorkflowLimits,
} from '@kre/contracts/runtime'
import { createOverloadThrottle, type OverloadThrottle } from '../requests/overload-throttle.ts'
import { createReplicaTable, type ReplicaTable } from './replica-table.ts'

/** A version as this process serves it: everything a request needs is looked up once, here. */
export type ServedVersion = {
  readonly ref: VersionRef
  readonly versionId: string
  readonly bundleDigest: string
  /** By path. */
  readonly methods: ReadonlyMap<string, ServedMethod>
  readonly workflows: ReadonlyMap<string, ServedWorkflow>
  /** `<package>.Entrypoint` */
  readonly serviceNames: readonly string[]
  /** FileDescriptorSet */
  readonly descriptorSet: Uint8Array
  readonly replicas: ReplicaTable
  /** Requests that wait for an answer of this version. */
  inFlight: number
}

export type ServedWorkflow = {
  readonly id: string
  readonly ingress: string
  readonly timeoutMs: number | null
  /** Nothing of a request runs once its last node has answered. */
  readonly isChain: boolean
  /** Its own; what is absent is not limited. */
  readonly limits: WorkflowLimits
  /** Requests that wait for an answer, and the bytes of their messages. */
  inFlight: number
  bytes: number
  readonly throttle: OverloadThrottle
  /** Requests of it were seen to have payloads in the claim bucket. */
  usesClaims: boolean
  /** Nodes without a ready replica; kept up to date by the replica table's owner. */
  missing: readonly string[]
  /** Nodes that have no replica while nobody asks: they are there for who waits for them. */
  readonly sleepers: ReadonlySet<string>
}

export type ServedMethod = {
  readonly path: string
  readonly rpc: string
  readonly version: ServedVersion
  /** Null: declared, but no workflow uses it. */
  readonly workflow: ServedWorkflow | null
  /** `type.googleapis.com/<full name>` */
  readonly requestUrl: string
  readonly responseUrl: string
  /** The answer is a stream of messages. */
  readonly isStreaming: boolean
}

/** A method that has a workflow. */
export type RoutedMethod = ServedMethod & { readonly workflow: ServedWorkflow }

export function isRouted(method: ServedMethod): method is RoutedMethod {
  return method.workflow !== null
}

const TYPE_URL_PREFIX = 'type.googleapis.com/'

export function createServedVersion(served: VersionInterface): ServedVersion {
  const ref = { runtimeId: served.runtimeId, version: served.version }
  const workflows = new Map<string, ServedWorkflow>()
  for (const workflow of served.workflows) {
    const { id, timeoutMs, nodes, isChain = false, limits = {}, sleepers = [] } = workflow
    const ingress = ingressSubject({ ...ref, workflow: id })
    workflows.set(id, {
      id,
      ingress,
      timeoutMs,
      isChain,
      limits,
      inFlight: 0,
      bytes: 0,
      throttle: createOverloadThrottle(),
      usesClaims: false,
      missing: nodes,
      sleepers: new Set(sleepers),
    })
  }
  const methods = new Map<string, ServedMethod>()
  const version: ServedVersion = {
    ref,
    versionId: served.versionId,
    bundleDigest: served.bundleDigest,
    methods,
    workflows,
    serviceNames: [...new Set(served.methods.map(serviceName))],
    descriptorSet: Buffer.from(served.descriptorSet, 'base64'),
    replicas: createReplicaTable(served.workflows, served.bundleDigest),
    inFlight: 0,
  }
  for (const method of served.methods) {
    methods.set(method.path, {
      path: method.path,
      rpc: method.rpc,
      version,
      workflow: method.workflow === null ? null : (workflows.get(method.workflow) ?? null),
      requestUrl: TYPE_URL_PREFIX + method.requestType,
      responseUrl: TYPE_URL_PREFIX + method.responseType,
      isStreaming: method.serverStreaming === true,
    })
  }
  return version
}

/** Whether every workflow can take a request; one whose nodes sleep can, and lets it wait. */
export function isComplete(version: ServedVersion): boolean {
  for (const { missing, sleepers } of version.workflows.values())
    if (missing.some((node) => !sleepers.has(node))) return false
  return true
}

/** Whether a call can bring what a request of the workflow waits for. */
export function isAsleep({ missing, sleepers }: ServedWorkflow): boolean {
  return sleepers.size > 0 && missing.every((node) => sleepers.has(node))
}

function serviceName(method: EntrypointMethod): string {
  return method.path.slice(1, method.path.lastIndexOf('/'))
}
