/** What a runtime and its versions need on the NATS server, as data: pure, so that tests assert the plan itself. */
import {
  ingressSubject,
  interfaceKey,
  nodeBucket,
  nodeSubject,
  objectBucket,
  outputsStream,
  projectBucket,
  retiredStreams,
  routingBucket,
  versionClaimsFilter,
  type VersionInterface,
  versionOutputsFilter,
  workflowBucket,
  WRITER_CONSUMER,
  claimStream,
  DAY_MS,
  GiB,
  HOUR_MS,
  MiB,
  type NatsVersion,
  type WorkflowGraph,
} from '@kre/contracts'

/** Who an object belongs to; kept in its metadata, so that removal goes by ownership and never by a pattern. */
export type Owner = { runtime: string; version: string | null }

export type StreamPlan = {
  kind: 'stream'
  name: string
  owner: Owner
  subjects: readonly string[]
  bytesMax: number
  ageMaxMs: number
  messageBytesMax: number
  consumers: readonly { name: string }[]
}
export type KeyValuePlan = {
  kind: 'key-value'
  name: string
  owner: Owner
  history: number
  bytesMax: number
  valueBytesMax: number
}
export type ObjectStorePlan = { kind: 'object-store'; name: string; owner: Owner; bytesMax: number }
/** Chunks of large payloads on their way; read by subject, removed by the entrypoint or by age. */
export type ClaimsPlan = {
  kind: 'claims'
  name: string
  owner: Owner
  subjects: readonly string[]
  bytesMax: number
  ageMaxMs: number
  messageBytesMax: number
}
export type ObjectPlan = StreamPlan | KeyValuePlan | ObjectStorePlan | ClaimsPlan

export type NatsPlan = {
  /**
   * Streams of a runtime as engines of before made them, whose subjects are in the way of those of its versions; and what
   * they get instead. They take nothing any more; what waits for the store goes there, then they go.
   */
  retired: ReadonlyMap<string, string>
  /** Made when they are missing. */
  required: readonly ObjectPlan[]
  /** Kept when they are there: stores of versions that don't run now. Buckets and streams by name. */
  kept: ReadonlySet<string>
  /** Entries of the routing bucket under `interface.*`. */
  interfaces: ReadonlyMap<string, VersionInterface>
  /** Subjects the running versions use, for people and for permissions. */
  subjects: readonly string[]
}

/** Outputs of a version wait here while the store is away: an hour of a busy one. */
const OUTPUTS_BYTES_MAX = 1 * GiB
const OUTPUTS_AGE_MAX_MS = 3 * DAY_MS
/** A document may be as large as MongoDB's limit allows to be useful; larger ones are refused by the SDK. */
const OUTPUT_MESSAGE_BYTES_MAX = 8 * MiB
const KEY_VALUE_BYTES_MAX = 64 * MiB
const KEY_VALUE_VALUE_BYTES_MAX = 1 * MiB
const OBJECT_STORE_BYTES_MAX = 4 * GiB
/** Payloads of a version's requests in flight: sixteen of the largest size. A full bucket refuses further ones. */
const CLAIMS_BYTES_MAX = 1 * GiB
/** Only what outlives a process that died is removed by age; no deadline is as long. */
const CLAIMS_AGE_MAX_MS = 1 * HOUR_MS
const CLAIM_CHUNK_BYTES_MAX = 1 * MiB

export function plan(runtimeId: string, versions: readonly NatsVersion[]): NatsPlan {
  const wanted = versions.filter((version) => version.wanted)
  const alive = versions.filter(({ wanted, isDraining }) => wanted || isDraining === true)
  const stopped = versions.filter((version) => !version.wanted)
  const stores = (version: NatsVersion): ObjectPlan[] => [
    ...keyValueStores(runtimeId, version),
    ...objectStores(runtimeId, version),
  ]
  return {
    retired: retiredStreams(runtimeId),
    required: unique([
      ...runtimeObjects(runtimeId),
      ...alive.flatMap((version) => passages(runtimeId, version)),
      ...wanted.flatMap(stores),
    ]),
    kept: new Set(stopped.flatMap(stores).map(streamOf)),
    interfaces: new Map(
      wanted.map((version) => [
        interfaceKey(version.version),
        describeInterface(runtimeId, version),
      ]),
    ),
    subjects: wanted.flatMap((version) => subjectsOf(runtimeId, version)),
  }
}

/** Name of the stream behind an object: JetStream keeps buckets as streams with a prefix. */
export function streamOf(object: ObjectPlan): string {
  if (object.kind === 'key-value') return `KV_${object.name}`
  if (object.kind === 'object-store') return `OBJ_${object.name}`
  return object.name
}

function runtimeObjects(runtimeId: string): ObjectPlan[] {
  const owner: Owner = { runtime: runtimeId, version: null }
  return [
    // One revision is enough for routing: the store has the history of releases.
    {
      kind: 'key-value',
      name: routingBucket(runtimeId),
      owner,
      history: 1,
      bytesMax: KEY_VALUE_BYTES_MAX,
      valueBytesMax: 2 * MiB,
    },
    keyValue(projectBucket(runtimeId), owner),
  ]
}

/**
 * What a version sends to the store, and its large payloads. Each version has its own, so that what it fills is what it
 * needs itself, whatever its nodes send.
 */
function passages(runtimeId: string, { version }: NatsVersion): ObjectPlan[] {
  const ref = { runtimeId, version }
  const owner: Owner = { runtime: runtimeId, version }
  return [
    {
      kind: 'stream',
      name: outputsStream(ref),
      owner,
      subjects: [versionOutputsFilter(ref)],
      bytesMax: OUTPUTS_BYTES_MAX,
      ageMaxMs: OUTPUTS_AGE_MAX_MS,
      messageBytesMax: OUTPUT_MESSAGE_BYTES_MAX,
      consumers: [{ name: WRITER_CONSUMER }],
    },
    {
      kind: 'claims',
      name: claimStream(ref),
      owner,
      subjects: [versionClaimsFilter(ref)],
      bytesMax: CLAIMS_BYTES_MAX,
      ageMaxMs: CLAIMS_AGE_MAX_MS,
      messageBytesMax: CLAIM_CHUNK_BYTES_MAX,
    },
  ]
}

function keyValueStores(runtimeId: string, { version, facts }: NatsVersion): ObjectPlan[] {
  const owner: Owner = { runtime: runtimeId, version }
  return facts.manifest.workflows.flatMap((workflow) => {
    const ref = { runtimeId, version, workflow: workflow.id }
    return [
      keyValue(workflowBucket(ref), owner),
      ...workflow.nodes.map((node) => keyValue(nodeBucket({ ...ref, node: node.id }), owner)),
    ]
  })
}

function objectStores(runtimeId: string, { version, facts }: NatsVersion): ObjectPlan[] {
  return facts.manifest.workflows.flatMap((workflow) =>
    workflow.nodes.flatMap((node): ObjectPlan[] => {
      if (node.objectStore === null) return []
      const { name, scope } = node.objectStore
      return [
        {
          kind: 'object-store',
          name: objectBucket({ runtimeId, version, workflow: workflow.id }, scope, name),
          // A store of the runtime survives its versions.
          owner: { runtime: runtimeId, version: scope === 'project' ? null : version },
          bytesMax: OBJECT_STORE_BYTES_MAX,
        },
      ]
    }),
  )
}

function describeInterface(
  runtimeId: string,
  { version, versionId, bundleDigest, facts }: NatsVersion,
): VersionInterface {
  return {
    runtimeId,
    version,
    versionId,
    bundleDigest,
    methods: facts.methods,
    workflows: facts.manifest.workflows.map((workflow) => ({
      id: workflow.id,
      timeoutMs: workflow.timeoutMs,
      ...(isChain(workflow) ? { isChain: true } : {}),
      ...(workflow.limits === undefined ? {} : { limits: workflow.limits }),
      nodes: workflow.nodes.map((node) => node.id),
      ...sleepersOf(workflow),
    })),
    descriptorSet: facts.descriptorSet,
  }
}

function sleepersOf({
  nodes,
}: WorkflowGraph): Pick<VersionInterface['workflows'][number], 'sleepers'> {
  const sleepers = nodes.filter(({ autoscaling }) => autoscaling?.min === 0).map(({ id }) => id)
  return sleepers.length === 0 ? {} : { sleepers }
}

/** Whether each message has one receiver and the exitpoint is the last one. */
function isChain({ nodes, exitpoint }: WorkflowGraph): boolean {
  const listened = nodes.flatMap((node) => node.subscriptions.map(({ from }) => from))
  return (
    nodes.every((node) => node.subscriptions.length === 1) &&
    new Set(listened).size === listened.length &&
    !listened.includes(exitpoint)
  )
}

function subjectsOf(runtimeId: string, { version, facts }: NatsVersion): string[] {
  const ofWorkflows = facts.manifest.workflows.flatMap((workflow) => {
    const ref = { runtimeId, version, workflow: workflow.id }
    return [
      ingressSubject(ref),
      ...workflow.nodes.map((node) => nodeSubject({ ...ref, node: node.id })),
    ]
  })
  return [...ofWorkflows, versionClaimsFilter({ runtimeId, version })]
}

function keyValue(name: string, owner: Owner): KeyValuePlan {
  return {
    kind: 'key-value',
    name,
    owner,
    history: 1,
    bytesMax: KEY_VALUE_BYTES_MAX,
    valueBytesMax: KEY_VALUE_VALUE_BYTES_MAX,
  }
}

function unique(objects: readonly ObjectPlan[]): ObjectPlan[] {
  return [...new Map(objects.map((object) => [streamOf(object), object])).values()]
}
