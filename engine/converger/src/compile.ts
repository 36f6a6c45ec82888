/** What a runtime's release asks for, as workloads: pure and independent of the order of its inputs. */
import {
  ENTRYPOINT,
  NO_TENSORS,
  nodeBucket,
  objectBucket,
  projectBucket,
  workflowBucket,
  workloadId,
  type BundleFacts,
  type EntrypointSpec,
  type Fuse,
  type GraphNode,
  type NodeMember,
  type NodeSpec,
  type Release,
  type Runner,
  type WorkflowGraph,
  type Workload,
} from '@kre/contracts'
import { fuseNodes } from './fuse-nodes.ts'
import { feedsSleeper, scalingOf } from './scaling/scaling-of.ts'
import { configHash, specHash } from './spec-hash.ts'

export type CompileSettings = {
  /** Deadline of a request whose caller gave none, and the longest one a caller may ask for. */
  requestTimeoutMs: number
  payloadBytesMax: number
  /** Processes that share one entrypoint's port. */
  entrypointWorkers: number
  /**
   * Key of the digests that stand for configuration values in hashes of specs, which are stored and shown: without it
   * nobody can try what a value was. It must survive restarts, or everything is rolled.
   */
  configKey: Buffer
  /** For workflows that do not say. */
  fuse: Fuse
  /** Origins of web pages that may read answers. */
  corsOrigins: readonly string[]
  reflection: boolean
  /** Limit of a process whose manifest names none; null = no limit. */
  memoryBytesMax: number | null
  /** Which runner an image stands for. */
  resolveRunner: (image: string, src: string) => Runner | null
}

/** A version as the compiler needs it. */
export type CompileVersion = {
  name: string
  id: string
  bundleDigest: string
  facts: BundleFacts
  /** Values set by the user, by key. */
  config: readonly { key: string; type: 'VARIABLE' | 'FILE'; value: string }[]
  /** Why its configuration can't be read now; absent = it can. */
  unreadable?: string
}

export type CompileResult = {
  workloads: Workload[]
  /** Why versions of the release can't be compiled, by name. */
  failures: Record<string, string>
}

/** What one version asks for; a text says why it can't be compiled. */
export type CompileOne = (
  runtimeId: string,
  version: CompileVersion,
  settings: CompileSettings,
) => readonly Workload[] | string

/** @param compileOne in place of `compileVersion`: one that remembers what it has compiled. */
export function compile(
  runtimeId: string,
  release: Release | null,
  versions: readonly CompileVersion[],
  settings: CompileSettings,
  compileOne: CompileOne = compileVersion,
): CompileResult {
  const workloads: Workload[] = []
  const failures: Record<string, string> = {}
  const wanted = [...(release?.running ?? [])].toSorted((a, b) => (a.version < b.version ? -1 : 1))
  const there = new Map(versions.map((version) => [version.name, version]))
  for (const { version: name } of wanted) {
    const version = there.get(name)
    const compiled =
      version === undefined
        ? 'its bundle is not in the store any more: upload it again under another name'
        : compileOne(runtimeId, version, settings)
    if (typeof compiled === 'string') failures[name] = compiled
    else workloads.push(...compiled)
  }
  // The published address exists while anything of the runtime runs, so that a publish moves no connection.
  if (workloads.length > 0) workloads.push(entrypointWorkload(runtimeId, null, settings))
  return { workloads, failures }
}

export function compileVersion(
  runtimeId: string,
  version: CompileVersion,
  settings: CompileSettings,
): readonly Workload[] | string {
  if (version.unreadable !== undefined) return version.unreadable
  const unknown = version.facts.manifest.workflows
    .flatMap((workflow) => workflow.nodes)
    .find((node) => settings.resolveRunner(node.image, node.src) === null)
  if (unknown !== undefined)
    return `node "${unknown.id}": no runner is known for image "${unknown.image}"`
  return [
    ...nodeWorkloads(runtimeId, version, settings),
    entrypointWorkload(runtimeId, version, settings),
  ]
}

function nodeWorkloads(
  runtimeId: string,
  version: CompileVersion,
  settings: CompileSettings,
): Workload[] {
  const config = configOf(version)
  const runnerOf = (node: GraphNode) => settings.resolveRunner(node.image, node.src)
  return version.facts.manifest.workflows.flatMap((workflow) =>
    fuseNodes(workflow.nodes, workflow.fuse ?? settings.fuse, runnerOf).map((group) => {
      const [first, ...fused] = group.map((node) => ({
        ...nodeSpec(runtimeId, version, workflow, node, config, settings),
        ...localOutputsOf(workflow, node, group),
      })) as [NodeMember, ...NodeMember[]]
      const spec: NodeSpec = fused.length === 0 ? first : { ...first, fused }
      return {
        id: workloadId(
          { runtimeId, version: version.name },
          { workflow: workflow.id, node: first.node },
        ),
        runtimeId,
        version: version.name,
        replicas: group[0]?.replicas ?? 1,
        spec,
        specHash: specHash(spec, settings.configKey),
        configHash: configHash(spec, settings.configKey),
        bundleDigest: version.bundleDigest,
        memoryBytesMax: memoryBytesMax(group) ?? settings.memoryBytesMax,
        ...resourcesOf(group),
        ...scalingOf(group),
      }
    }),
  )
}

/** The limits of all nodes of a process together; null = none is declared. */
function memoryBytesMax(group: readonly GraphNode[]): number | null {
  const limits = group.flatMap(({ resources }) => resources.memoryBytes?.limit ?? [])
  return limits.length === 0 ? null : limits.reduce((sum, limit) => sum + limit)
}

/** Processors of all nodes of a process together; a GPU keeps its node alone. */
function resourcesOf(group: readonly GraphNode[]): Pick<Workload, 'resources'> {
  const cpus = group.flatMap(({ resources }) => resources.cpuMillis ?? [])
  const gpu = group[0]?.gpu ?? null
  if (cpus.length === 0 && gpu === null) return {}
  const sum = (amounts: readonly number[]) => amounts.reduce((total, one) => total + one, 0)
  const cpuMillis =
    cpus.length === 0
      ? null
      : {
          request: sum(cpus.map(({ request }) => request)),
          limit: sum(cpus.map(({ limit }) => limit)),
        }
  return { resources: { cpuMillis, gpu } }
}

function nodeSpec(
  runtimeId: string,
  version: CompileVersion,
  workflow: WorkflowGraph,
  node: GraphNode,
  config: NodeSpec['config'],
  settings: CompileSettings,
): NodeMember {
  const ref = { runtimeId, version: version.name, workflow: workflow.id }
  const method = version.facts.methods.find((candidate) => candidate.rpc === workflow.entrypoint)
  const runner = settings.resolveRunner(node.image, node.src) ?? 'typescript'
  return {
    kind: 'node',
    runtimeId,
    version: version.name,
    versionId: version.id,
    bundleDigest: version.bundleDigest,
    workflow: workflow.id,
    workflowName: workflow.name,
    node: node.id,
    nodeName: node.name,
    image: node.image,
    // Checked by the caller for every node of the version.
    runner,
    src: node.src,
    subscriptions: node.subscriptions,
    outputs: outputsOf(workflow, node),
    ...sleeperOutputsOf(workflow, node),
    isExitpoint: workflow.exitpoint === node.id,
    requestType: method?.requestType ?? '',
    responseType: method?.responseType ?? '',
    ...(method?.serverStreaming === true ? { serverStreaming: true } : {}),
    payloadBytesMax: settings.payloadBytesMax,
    concurrency: node.concurrency,
    ...(node.batch === undefined ? {} : { batch: node.batch }),
    timeoutMs: node.timeoutMs,
    ...queueAgeOf(workflow),
    retries: node.retries,
    ...(runner === 'onnx' ? { model: modelOf(node) } : {}),
    objectBucket:
      node.objectStore === null
        ? null
        : objectBucket(ref, node.objectStore.scope, node.objectStore.name),
    keyValueBuckets: {
      project: projectBucket(runtimeId),
      workflow: workflowBucket(ref),
      node: nodeBucket({ ...ref, node: node.id }),
    },
    config,
  }
}

function queueAgeOf({ limits }: WorkflowGraph): Pick<NodeMember, 'maxQueueAgeMs'> {
  const maxQueueAgeMs = limits?.maxQueueAgeMs
  return maxQueueAgeMs === undefined ? {} : { maxQueueAgeMs }
}

/** A model uses as many threads as it may use processors, and one where the manifest does not say. */
function modelOf({ tensors, resources }: GraphNode): NonNullable<NodeSpec['model']> {
  const threads = Math.max(1, Math.ceil((resources.cpuMillis?.limit ?? 0) / 1000))
  return { tensors: tensors ?? NO_TENSORS, threads }
}

/** What somebody listens to of a node's output: null = messages without a channel. */
function outputsOf(workflow: WorkflowGraph, node: GraphNode): (string | null)[] {
  const channels = workflow.nodes
    .flatMap((other) => other.subscriptions)
    .filter((subscription) => subscription.from === node.id && subscription.from !== ENTRYPOINT)
    .map((subscription) => subscription.channel)
  // Null first, so that the order never depends on the manifest's.
  return [...new Set(channels)].toSorted((a, b) => (a ?? '').localeCompare(b ?? ''))
}

function sleeperOutputsOf(
  workflow: WorkflowGraph,
  node: GraphNode,
): Pick<NodeMember, 'sleeperOutputs'> {
  const outputs = outputsOf(workflow, node).filter((channel) =>
    feedsSleeper(workflow, node, channel),
  )
  return outputs.length === 0 ? {} : { sleeperOutputs: outputs }
}

/** What only nodes of the group hear of one of them. */
function localOutputsOf(
  workflow: WorkflowGraph,
  node: GraphNode,
  group: readonly GraphNode[],
): Pick<NodeMember, 'localOutputs'> {
  if (group.length === 1) return {}
  const isHeardOutside = (channel: string | null) =>
    workflow.nodes.some(
      (other) =>
        !group.includes(other) &&
        other.subscriptions.some((one) => one.from === node.id && one.channel === channel),
    )
  return {
    localOutputs: outputsOf(workflow, node).filter((channel) => !isHeardOutside(channel)),
  }
}

function entrypointWorkload(
  runtimeId: string,
  version: CompileVersion | null,
  settings: CompileSettings,
): Workload {
  const spec: EntrypointSpec = {
    kind: 'entrypoint',
    runtimeId,
    version: version?.name ?? null,
    versionId: version?.id ?? null,
    requestTimeoutMs: settings.requestTimeoutMs,
    payloadBytesMax: settings.payloadBytesMax,
    reflection: settings.reflection,
    ...(settings.corsOrigins.length === 0 ? {} : { cors: { origins: [...settings.corsOrigins] } }),
  }
  return {
    id: workloadId({ runtimeId, version: version?.name ?? null }),
    runtimeId,
    version: version?.name ?? null,
    replicas: settings.entrypointWorkers,
    spec,
    specHash: specHash(spec, settings.configKey),
    bundleDigest: null,
    memoryBytesMax: settings.memoryBytesMax,
  }
}

function configOf(version: CompileVersion): NodeSpec['config'] {
  const { variables, files, defaults } = version.facts.manifest.config
  // An empty value is none.
  const valueOf = (key: string) =>
    version.config.find((entry) => entry.key === key)?.value || defaults[key]
  const pick = (keys: readonly string[]) =>
    Object.fromEntries(
      keys.flatMap((key): [string, string][] => {
        const value = valueOf(key)
        return value === undefined ? [] : [[key, value]]
      }),
    )
  return { variables: pick(variables), files: pick(files) }
}
