/** The normalised second-generation text of a manifest. */
import { Document, isScalar, visit } from 'yaml'
import type { GraphNode, KrtManifest, Subscription, WorkflowGraph } from './graph.ts'
import { isAmbiguousText } from './plain-text.ts'
import { formatCpu, formatMemory } from './quantity.ts'
import type { TensorField } from './tensors.ts'

/** `parseManifest` reads it back to the same manifest, whose `krtVersion` is then v2. Defaults are left out. */
export function toYaml(manifest: KrtManifest): string {
  const { config, entrypoint } = manifest
  const document = new Document(
    {
      krtVersion: 'v2',
      version: manifest.versionName,
      description: manifest.description,
      entrypoint,
      ...unlessEmpty('config', {
        ...unlessEmpty('variables', config.variables),
        ...unlessEmpty('files', config.files),
        ...unlessEmpty('defaults', config.defaults),
      }),
      workflows: manifest.workflows.map(workflowFields),
    },
    { aliasDuplicateObjects: false },
  )
  visit(document, (_key, node) => {
    if (isScalar(node) && typeof node.value === 'string' && needsQuotes(node.value))
      node.type = 'QUOTE_DOUBLE'
  })
  return document.toString({ lineWidth: 0 })
}

/** Block forms lose or change some line ends and blanks; escapes in quotes keep every character. */
function needsQuotes(text: string): boolean {
  return isAmbiguousText(text) || /[^\u0020-\u007e\u00a1-\ud7ff]/.test(text) || text !== text.trim()
}

/** A workflow with its nodes, in the words and units of the manifest; what is left at its default is not there. */
export function workflowFields(workflow: WorkflowGraph): object {
  return {
    name: workflow.name,
    entrypoint: workflow.entrypoint,
    exitpoint: workflow.exitpoint,
    ...(workflow.timeoutMs === null ? {} : { timeoutMs: workflow.timeoutMs }),
    ...(workflow.fuse === undefined ? {} : { fuse: workflow.fuse }),
    ...unlessEmpty('limits', limitFields(workflow.limits)),
    nodes: workflow.nodes.map(nodeFields),
  }
}

function limitFields(limits: WorkflowGraph['limits']): object {
  const { maxBytes, ...rest } = limits ?? {}
  return { ...rest, ...(maxBytes === undefined ? {} : { maxBytes: formatMemory(maxBytes) }) }
}

/** The same for one node. */
export function nodeFields(node: GraphNode): object {
  const { gpu, retries, channels } = node
  return {
    name: node.name,
    image: node.image,
    src: node.src,
    subscriptions: node.subscriptions.map(subscriptionText),
    ...(gpu === null ? {} : { gpu: gpuFields(gpu) }),
    ...replicaFields(node),
    ...(node.objectStore === null ? {} : { objectStore: node.objectStore }),
    ...(node.concurrency === 1 ? {} : { concurrency: node.concurrency }),
    ...(node.batch === undefined ? {} : { batch: node.batch }),
    ...(node.timeoutMs === null ? {} : { timeoutMs: node.timeoutMs }),
    ...(retries.max === 0 && retries.backoffMs === 0 ? {} : { retries }),
    ...(node.onError === 'fail' ? {} : { onError: node.onError }),
    ...unlessEmpty('resources', resourceFields(node.resources)),
    ...(channels === null ? {} : { channels }),
    ...unlessEmpty('tensors', tensorFields(node.tensors)),
  }
}

function tensorFields(tensors: GraphNode['tensors']): object {
  if (tensors === undefined) return {}
  const side = (fields: Readonly<Record<string, TensorField>>) =>
    Object.fromEntries(
      Object.entries(fields).map(([tensor, { field, shape }]) => [
        tensor,
        shape === null ? field : { field, shape },
      ]),
    )
  return {
    ...(tensors.input === null ? {} : { input: tensors.input }),
    ...(tensors.output === null ? {} : { output: tensors.output }),
    ...unlessEmpty('inputs', side(tensors.inputs)),
    ...unlessEmpty('outputs', side(tensors.outputs)),
  }
}

function subscriptionText({ from, channel, durability }: Subscription): string | object {
  const reference = channel === null ? from : `${from}.${channel}`
  return durability === 'fast' ? reference : { from: reference, durability }
}

function replicaFields({ replicas, autoscaling }: GraphNode): object {
  if (autoscaling !== undefined) return { autoscaling }
  return replicas === 1 ? {} : { replicas }
}

function gpuFields(gpu: NonNullable<GraphNode['gpu']>): boolean | object {
  if (gpu.class !== null) return gpu
  return gpu.count === 1 ? true : { count: gpu.count }
}

function resourceFields({ cpuMillis, memoryBytes }: GraphNode['resources']): object {
  const range = (
    value: { request: number; limit: number },
    format: (amount: number) => string,
  ) => ({
    request: format(value.request),
    limit: format(value.limit),
  })
  return {
    ...(cpuMillis === null ? {} : { cpu: range(cpuMillis, formatCpu) }),
    ...(memoryBytes === null ? {} : { memory: range(memoryBytes, formatMemory) }),
  }
}

function unlessEmpty(key: string, value: object): object {
  return Object.keys(value).length === 0 ? {} : { [key]: value }
}
