/**
 * Which accounts there are and what passes between them. An account sees nothing of another one but what is named here,
 * whatever its users may publish or subscribe to. Pure.
 *
 * - the engine's has the streams and buckets, and hears what processes say;
 * - a runtime's is that of its entrypoints;
 * - a version's is that of its nodes, which run user code.
 *
 * What goes one way is a stream in the sense of NATS: the subscription itself reaches into the other account, so that it
 * costs nothing per message, and NATS answers 503 when nobody is subscribed there. What is answered is a service.
 */
import {
  bundlePart,
  BUNDLES_STREAM,
  claimsFilter,
  claimStream,
  controlSubject,
  type ControlVerb,
  dataSubject,
  ENGINE_HEARTBEAT_SUBJECT,
  metricsSubject,
  nodeBucket,
  objectBucket,
  outputsFilter,
  projectBucket,
  routingBucket,
  type NatsVersion,
  type RuntimeId,
  type VersionRef,
  versionClaimsFilter,
  workflowBucket,
} from '@kre/contracts'
import type { AccountClaims, Export, Import } from '../keys/jwt.ts'

/** Public keys. */
export type AccountKeys = { readonly engine: string; readonly runtime: string }

const UNLIMITED = -1
/** Of a version: its most replicas, twice while they are rolled or renew their credentials, and some room. */
const CONNECTIONS_PER_REPLICA = 4
const CONNECTIONS_SPARE = 16

/**
 * An account that imports it is not given JetStream's API of its own by the server, which would answer the questions to
 * the engine's JetStream, too. No user may ask it.
 */
const JETSTREAM_INFO = '$JS.API.INFO'

/** Subjects of all versions, or of all runtimes. */
const ANY = '*'
const anyControl = (verb: ControlVerb) => `x.${ANY}.${ANY}._c.${verb}`

export function systemClaims(): AccountClaims {
  return { imports: [], exports: [], connectionsMax: UNLIMITED, hasJetStream: false }
}

/** Anybody may import what is exported: accounts exist, and import, only as the engine has signed it. */
export function engineClaims(): AccountClaims {
  return {
    imports: [],
    exports: [
      ...['$JS.API.>', '$KV.>', '$O.>', 'c.>', 'x.*.*.*.o.*', 'kre.data.*.find'].map(service),
      ...(['announce', 'kept', 'steps', 'wake'] as const).map((verb) => service(anyControl(verb))),
      service(metricsSubjectOfAll),
      ...[
        ENGINE_HEARTBEAT_SUBJECT,
        anyControl('ping'),
        anyControl('gone'),
        anyControl('sample'),
      ].map(stream),
      // Confirmations of stored documents; and what the routing bucket is told, so that entrypoints look.
      ...['_INBOX.>', '$KV.>'].map(stream),
    ],
    connectionsMax: UNLIMITED,
    hasJetStream: true,
  }
}
const metricsSubjectOfAll = `kre.metrics.${ANY}`

/** @param versions of the runtime with an account, by name. */
export function runtimeClaims(
  runtimeId: RuntimeId,
  engine: string,
  versions: ReadonlyMap<string, string>,
): AccountClaims {
  const control = (verb: ControlVerb) => `x.${runtimeId}.${ANY}._c.${verb}`
  const routing = routingBucket(runtimeId)
  const payloads = [...versions.keys()].flatMap((version) => {
    const ref = { runtimeId, version }
    const stream = claimStream(ref)
    return [
      `$JS.API.DIRECT.GET.${stream}.${versionClaimsFilter(ref)}`,
      `$JS.API.STREAM.PURGE.${stream}`,
    ]
  })
  return {
    imports: [
      ...[
        JETSTREAM_INFO,
        outputsFilter(runtimeId),
        claimsFilter(runtimeId),
        ...payloads,
        `$JS.API.STREAM.MSG.GET.KV_${routing}`,
        control('announce'),
        control('kept'),
        control('wake'),
        metricsSubject(runtimeId),
      ].map((subject) => importOf('service', subject, engine)),
      ...[
        ENGINE_HEARTBEAT_SUBJECT,
        control('ping'),
        control('gone'),
        // The values of both are nothing that other accounts could not know.
        `$KV.${routing}.>`,
      ].map((subject) => importOf('stream', subject, engine)),
      ...[...versions].flatMap(([version, account]) => [
        importOf('stream', controlSubject({ runtimeId, version }, 'announce'), account),
        importOf('stream', answers(runtimeId), account),
      ]),
    ],
    exports: [
      `x.${runtimeId}.${ANY}.${ANY}.i`,
      control('ping'),
      control('cancel'),
      control('kept'),
      inboxes(runtimeId),
    ].map(stream),
    connectionsMax: UNLIMITED,
    hasJetStream: false,
  }
}

export function versionClaims(
  runtimeId: RuntimeId,
  version: NatsVersion,
  keys: AccountKeys,
): AccountClaims {
  const ref: VersionRef = { runtimeId, version: version.version }
  const control = (verb: ControlVerb) => controlSubject(ref, verb)
  const ownInboxes = `_INBOX.${runtimeId}.${ref.version}.>`
  const fromRuntime = [
    `x.${runtimeId}.${ref.version}.${ANY}.i`,
    control('ping'),
    control('cancel'),
    control('kept'),
    ownInboxes,
  ]
  const fromEngine = [ENGINE_HEARTBEAT_SUBJECT, control('ping'), control('sample'), ownInboxes]
  const replicas = version.facts.manifest.workflows
    .flatMap(({ nodes }) => nodes)
    .reduce((sum, { replicas, autoscaling }) => sum + (autoscaling?.max ?? replicas), 0)
  return {
    imports: [
      ...servicesOf(ref, version).map((subject) => importOf('service', subject, keys.engine)),
      ...fromEngine.map((subject) => importOf('stream', subject, keys.engine)),
      ...fromRuntime.map((subject) => importOf('stream', subject, keys.runtime)),
    ],
    exports: [answers(runtimeId), control('announce')].map(stream),
    connectionsMax: CONNECTIONS_PER_REPLICA * replicas + CONNECTIONS_SPARE,
    hasJetStream: false,
  }
}

/** What a version's nodes ask the engine's account for. Nothing in it makes a stream or a consumer. */
function servicesOf(ref: VersionRef, bundle: NatsVersion): string[] {
  const { facts } = bundle
  const { runtimeId, version } = ref
  const claims = versionClaimsFilter(ref)
  const workflows = facts.manifest.workflows.flatMap((workflow) => {
    const own = { ...ref, workflow: workflow.id }
    const objects = workflow.nodes.flatMap(({ objectStore }) =>
      objectStore === null ? [] : objectBucket(own, objectStore.scope, objectStore.name),
    )
    const values = [workflowBucket(own)]
    for (const node of workflow.nodes) values.push(nodeBucket({ ...own, node: node.id }))
    return [...values.flatMap(keyValueSubjects), ...objects.flatMap(objectSubjects)]
  })
  return [
    JETSTREAM_INFO,
    `x.${runtimeId}.${version}.${ANY}.o.${ANY}`,
    claims,
    `$JS.API.DIRECT.GET.${claimStream(ref)}.${claims}`,
    bundleReads(bundle),
    dataSubject(runtimeId, 'find'),
    controlSubject(ref, 'announce'),
    controlSubject(ref, 'steps'),
    controlSubject(ref, 'wake'),
    metricsSubject(runtimeId),
    ...new Set([...keyValueSubjects(projectBucket(runtimeId)), ...workflows]),
  ]
}

/** What a pod asks for its bundle: one after the other, all of its parts, and nothing of other bundles. */
export function bundleReads({ bundleDigest }: Pick<NatsVersion, 'bundleDigest'>): string {
  return `$JS.API.DIRECT.GET.${BUNDLES_STREAM}.${bundlePart(bundleDigest, '*')}`
}

/** What reading and writing the values of a bucket takes. */
export function keyValueSubjects(bucket: string): string[] {
  return [`$KV.${bucket}.>`, `$JS.API.STREAM.MSG.GET.KV_${bucket}`]
}

/** The same of an object store, whose list comes from the subjects that there are. */
export function objectSubjects(bucket: string): string[] {
  return [
    `$O.${bucket}.>`,
    `$JS.API.STREAM.MSG.GET.OBJ_${bucket}`,
    `$JS.API.STREAM.INFO.OBJ_${bucket}`,
    `$JS.API.STREAM.PURGE.OBJ_${bucket}`,
  ]
}

function answers(runtimeId: RuntimeId): string {
  return `_R.${runtimeId}.>`
}
function inboxes(runtimeId: RuntimeId): string {
  return `_INBOX.${runtimeId}.>`
}

function service(subject: string): Export {
  return { name: `service ${subject}`, subject, type: 'service' }
}
function stream(subject: string): Export {
  return { name: `stream ${subject}`, subject, type: 'stream' }
}
function importOf(type: Import['type'], subject: string, account: string): Import {
  return { name: `${type} ${subject}`, subject, account, type }
}
