/**
 * Every name that crosses a process boundary is built here: subjects, streams, buckets, labels.
 *
 * Ids of runtimes, versions, workflows and nodes are resource names (`a-z`, `0-9`, `-`), so neither
 * `.` (subjects) nor `_` (streams, buckets) can occur inside one, and a built name has one reading.
 */
import { createNameHash } from './name-hash.ts'
import { KreError } from './errors.ts'

export const RESOURCE_NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/
/** Longest id of a version, workflow or node, in characters. */
export const RESOURCE_NAME_CHARS_MAX = 19
/** One token of a subject after a node name. */
export const CHANNEL_NAME = /^[A-Za-z0-9_-]{1,32}$/
/** Reserved sender and subscription name of the incoming request. */
export const ENTRYPOINT = 'entrypoint'
/** What a cluster asks the health service of an entrypoint for: whether callers may be sent to this process. */
export const READINESS_SERVICE = 'kre.Readiness'

export type RuntimeId = string
export type VersionRef = { readonly runtimeId: RuntimeId; readonly version: string }
export type WorkflowRef = VersionRef & { readonly workflow: string }
export type NodeRef = WorkflowRef & { readonly node: string }

/** What nodes send to the store through the outputs stream. */
export const OUTPUT_KINDS = ['prediction', 'document', 'log', 'measurement'] as const
export type OutputKind = (typeof OUTPUT_KINDS)[number]

// --- subjects -------------------------------------------------------------------------------

/** The incoming requests of a workflow: `x.<rt>.<ver>.<wf>.i`. */
export function ingressSubject(w: WorkflowRef): string {
  return `${workflowPrefix(w)}.i`
}

/** What a node sends, with or without a channel: `x.<rt>.<ver>.<wf>.n.<node>[.<channel>]`. */
export function nodeSubject(n: NodeRef, channel?: string): string {
  const subject = `${workflowPrefix(n)}.n.${token(n.node)}`
  if (channel === undefined || channel === '') return subject
  if (!CHANNEL_NAME.test(channel))
    throw invalidName('channel', channel, 'letters, digits, "_" and "-", 1 to 32')
  return `${subject}.${channel}`
}

/** Failures of a node, for subscribers that handle errors: `x.<rt>.<ver>.<wf>.f.<node>`. */
export function failureSubject(n: NodeRef): string {
  return `${workflowPrefix(n)}.f.${token(n.node)}`
}

/** Messages that wait at one replica of a node, for one that has a free slot: `x.<rt>.<ver>.<wf>.s.<node>`. */
export function spareSubject(n: NodeRef): string {
  return `${workflowPrefix(n)}.s.${token(n.node)}`
}
/** A replica says to the others that it has a free slot: `x.<rt>.<ver>.<wf>.s.<node>.free`. */
export function spareNoticeSubject(n: NodeRef): string {
  return `${spareSubject(n)}.free`
}

/** A durable edge: `x.<rt>.<ver>.<wf>.e.<from>.<to>`. */
export function edgeSubject(w: WorkflowRef, from: string, to: string): string {
  return `${workflowPrefix(w)}.e.${token(from)}.${token(to)}`
}

/** Outputs for the store: `x.<rt>.<ver>.<wf>.o.<kind>`; `workflow` null = the version's own processes. */
export function outputSubject(v: VersionRef, workflow: string | null, kind: OutputKind): string {
  return `${versionPrefix(v)}.${workflow === null ? '_v' : token(workflow)}.o.${kind}`
}

/** All outputs of a version, the filter of its outputs stream. */
export function versionOutputsFilter(v: VersionRef): string {
  return `${versionPrefix(v)}.*.o.*`
}
/** All outputs of a runtime. */
export function outputsFilter(runtimeId: RuntimeId): string {
  return `x.${token(runtimeId)}.*.*.o.*`
}
/** All outputs of all runtimes. */
export const ALL_OUTPUTS = 'x.*.*.*.o.*'

/** Control messages of a version's processes: announcements, pings, cancellations, death notices, samples. */
export type ControlVerb =
  | 'announce'
  | 'ping'
  | 'cancel'
  | 'gone'
  | 'drain'
  | 'kept'
  | 'steps'
  | 'sample'
  | 'wake'
export function controlSubject(v: VersionRef, verb: ControlVerb): string {
  return `${versionPrefix(v)}._c.${verb}`
}

/** The announcements of all versions of all runtimes, for the manager that watches them. */
export const ALL_ANNOUNCEMENTS = 'x.*.*._c.announce'
/** Requests that entrypoints of all versions keep as examples, and the steps that nodes know of them. */
export const ALL_KEPT_REQUESTS = 'x.*.*._c.kept'
export const ALL_REQUEST_STEPS = 'x.*.*._c.steps'

/** Calls for nodes that sleep, of all versions: the engine starts them. */
export const ALL_WAKE_CALLS = 'x.*.*._c.wake'

/** Replies to one entrypoint process: `_R.<rt>.<entrypoint>.<token>`; it subscribes with `*` as the token. */
export function replySubject(runtimeId: RuntimeId, entrypoint: string, replyToken: string): string {
  return `_R.${token(runtimeId)}.${entrypoint}.${replyToken}`
}

/** Chunks of payloads that are too large for a message: `c.<rt>.<entrypoint>.<token>.<ver>.<claim>.<n>`. */
export function claimsFilter(runtimeId: RuntimeId): string {
  return `c.${token(runtimeId)}.>`
}
/**
 * Start of the chunks' subjects of one request: `c.<rt>.<entrypoint>.<token>.<ver>`.
 *
 * @param replyTo the subject that answers the request.
 */
export function claimKey(v: VersionRef, replyTo: string): string {
  const match = REPLY_SUBJECT.exec(replyTo)
  // A sender that is no entrypoint has no scope of its own: what it keeps goes by its age.
  const scope = match === null ? 'none.none' : `${match[1]}.${match[2]}`
  return `c.${token(v.runtimeId)}.${scope}.${token(v.version)}`
}
/** The version in a key of `claimKey`, or in what begins with one; null = it is none of the runtime's. */
export function versionOfClaim(runtimeId: RuntimeId, key: string): string | null {
  const [c, runtime, , , version = ''] = key.split('.', 5)
  return c === 'c' && runtime === runtimeId && RESOURCE_NAME.test(version) ? version : null
}
const REPLY_SUBJECT = /^_R\.[^.\s]+\.([^.\s]+)\.([^.\s_]+)/

/**
 * Start of the subjects that answers to one node come to: `_INBOX.<rt>.<ver>.<wf>.<node>`. Its replicas share it, because
 * they answer each other; each process adds a part of its own.
 */
export function nodeInbox(n: NodeRef): string {
  const place = [n.runtimeId, n.version, n.workflow, n.node]
  return `_INBOX.${place.map(token).join('.')}`
}
/** The same of a runtime's entrypoints: `_INBOX.<rt>._e`. */
export function entrypointInbox(runtimeId: RuntimeId): string {
  return `_INBOX.${token(runtimeId)}._e`
}

/** The large payloads that a version's nodes may read and write. */
export function versionClaimsFilter(v: VersionRef): string {
  return `c.${token(v.runtimeId)}.*.*.${token(v.version)}.>`
}

/** Requests for stored data of a runtime, answered by the writer. */
export function dataSubject(runtimeId: RuntimeId, verb: 'find'): string {
  return `kre.data.${token(runtimeId)}.${verb}`
}

/** What processes of a runtime have counted, every few seconds. */
export function metricsSubject(runtimeId: RuntimeId): string {
  return `kre.metrics.${token(runtimeId)}`
}
/** The counts of all runtimes, for whoever sums them up. */
export const ALL_METRICS = 'kre.metrics.*'

/** The engine says every two seconds that it is there; processes that miss it drain after their grace. */
export const ENGINE_HEARTBEAT_SUBJECT = 'kre.engine.heartbeat'
/** What engines on one NATS tell each other: `EngineEvent`s. */
export const ENGINE_EVENTS_SUBJECT = 'kre.engine.events'

/** Header of an output whose sender waits until it is stored: the subject that gets a `StoredReply`. */
export const STORED_REPLY_HEADER = 'Kre-Stored-Reply'

// --- streams, consumers, buckets --------------------------------------------------------------

/** Ingress and durable edges of one workflow: `X_<rt>_<ver>_<wf>`. */
export function workflowStream(w: WorkflowRef): string {
  return `X_${token(w.runtimeId)}_${token(w.version)}_${token(w.workflow)}`
}

/** Outputs of a version on their way to the store: `OUT_<rt>_<ver>`. */
export function outputsStream(v: VersionRef): string {
  return `OUT_${token(v.runtimeId)}_${token(v.version)}`
}
/** Of what is an outputs stream by its name; null = it is none. */
export function runtimeOfOutputs(stream: string): RuntimeId | null {
  return /^OUT_([^_]+)(?:_[^_]+)?$/.exec(stream)?.[1] ?? null
}

/** Payloads of a version that are too large for a message, on their way: `CLAIMS_<rt>_<ver>`. */
export function claimStream(v: VersionRef): string {
  return `CLAIMS_${token(v.runtimeId)}_${token(v.version)}`
}

/**
 * Streams of a whole runtime, which engines of before made, and the subject that each is given until it is empty. Nobody
 * sends there, and `ALL_OUTPUTS` has it.
 */
export function retiredStreams(runtimeId: RuntimeId): ReadonlyMap<string, string> {
  const id = token(runtimeId)
  return new Map(
    ['OUT', 'CLAIMS'].map((kind) => [`${kind}_${id}`, `x.${id}._retired.${kind}.o.none`]),
  )
}

/** The writer's durable consumer on every outputs stream. */
export const WRITER_CONSUMER = 'mongo-writer'

/** Key-value bucket with a runtime's routing table and the interfaces of its versions. */
export function routingBucket(runtimeId: RuntimeId): string {
  return `RT_${token(runtimeId)}`
}
export const ROUTING_KEY = 'routing'
export function interfaceKey(version: string): string {
  return `interface.${token(version)}`
}

/** What routing buckets are told of tables and interfaces, in all runtimes: the bucket is the second token. */
export const ALL_ROUTING_WRITES: readonly string[] = ['$KV.*.routing', '$KV.*.interface.*']

/** Key-value bucket behind `ctx.configuration` scope `project`: belongs to the runtime. */
export function projectBucket(runtimeId: RuntimeId): string {
  return `KV_${token(runtimeId)}`
}
/** Scope `workflow`: belongs to the version. */
export function workflowBucket(w: WorkflowRef): string {
  return `KV_${token(w.runtimeId)}_${token(w.version)}_${token(w.workflow)}`
}
/** Scope `node`: belongs to the version. */
export function nodeBucket(n: NodeRef): string {
  return `${workflowBucket(n)}_${token(n.node)}`
}

/** Object-store bucket of scope `project` (the runtime's) or `workflow` (the version's). */
export function objectBucket(w: WorkflowRef, scope: 'project' | 'workflow', name: string): string {
  return scope === 'project'
    ? `OBJ_${token(w.runtimeId)}__${token(name)}`
    : `OBJ_${token(w.runtimeId)}_${token(w.version)}_${token(w.workflow)}_${token(name)}`
}

// --- of the engine itself, for all runtimes ----------------------------------------------------

/** Keeps the bundles of versions that run, for pods. */
export const BUNDLES_STREAM = 'KRE_BUNDLES'
/** All of it. */
export const ALL_BUNDLE_PARTS = 'b.>'
/** Of every bundle what says that all parts of it are there. */
export const ALL_BUNDLE_CONTENTS = 'b.*.contents'

/**
 * One part of a bundle: `b.<digest>.<part>`.
 *
 * @param part a number, `contents`, or a wildcard.
 */
export function bundlePart(digest: string, part: number | string): string {
  const hex = digest.replace(/^sha256:/, '')
  if (!/^[0-9a-f]{1,64}$/.test(hex))
    throw invalidName('digest', digest, 'the hexadecimal digits of a SHA-256')
  return `b.${hex}.${part}`
}
/** Of what `contents` of a bundle is named; null = it is another subject. */
export function digestOfContents(subject: string): string | null {
  return /^b\.([0-9a-f]{1,64})\.contents$/.exec(subject)?.[1] ?? null
}

/** Key-value bucket with the keys of accounts, where no engine has a folder that others share. */
export const ACCOUNTS_BUCKET = 'KRE_ACCOUNTS'

// --- workloads and labels ----------------------------------------------------------------------

/** Key of a workload inside a target; also the base of its object name. */
export function workloadId(
  v: { runtimeId: RuntimeId; version: string | null },
  n?: { workflow: string; node: string },
): string {
  const parts = [
    v.runtimeId,
    ...(v.version === null ? [] : [v.version]),
    ...(n ? [n.workflow, n.node] : [ENTRYPOINT]),
  ]
  return parts.map(token).join('.')
}

/** Longest name of a Kubernetes object (RFC 1123 label), in characters. */
export const OBJECT_NAME_CHARS_MAX = 63

/**
 * `<rt>-<ver>-<workflow>-<node>-<hash>`, shortened to 63 characters.
 *
 * @param suffix tells apart what one workload has several of; letters, digits and "-".
 */
export function objectName(id: string, suffix = ''): string {
  const name = id.replaceAll('.', '-')
  // A hyphen inside an id and the separator look alike, so the hash of the unambiguous id always decides.
  const end = `-${createNameHash(id)}${suffix === '' ? '' : `-${suffix}`}`
  return name.slice(0, OBJECT_NAME_CHARS_MAX - end.length).replace(/-+$/, '') + end
}

/** Labels that say whose an object is. */
export function labels(
  v: { runtimeId: RuntimeId; version: string | null },
  n?: { workflow: string; node: string },
): Record<string, string> {
  return {
    'app.kubernetes.io/part-of': 'kre',
    'app.kubernetes.io/managed-by': 'kre',
    'kre.dev/runtime': v.runtimeId,
    ...(v.version === null ? {} : { 'kre.dev/version': v.version }),
    ...(n ? { 'kre.dev/workflow': n.workflow, 'kre.dev/node': n.node } : {}),
  }
}

function versionPrefix(v: VersionRef): string {
  return `x.${token(v.runtimeId)}.${token(v.version)}`
}
function workflowPrefix(w: WorkflowRef): string {
  return `${versionPrefix(w)}.${token(w.workflow)}`
}
function token(id: string): string {
  if (!RESOURCE_NAME.test(id)) throw invalidName('id', id, 'a-z, 0-9 and "-", no "-" at either end')
  return id
}
function invalidName(what: string, value: string, rule: string): KreError {
  return new KreError('invalid-argument', `${what} "${value}" is not legal: use ${rule}`, { value })
}
