/** One node as declared -> the internal node, all defaults filled in; its own fields are checked on the way. */
import { CHANNEL_NAME, RESOURCE_NAME, RESOURCE_NAME_CHARS_MAX } from '../names.ts'
import { findPathFault, findSimilarFile, normalisePath } from './bundle-path.ts'
import { checkCount } from './check-limits.ts'
import type { DocumentPath } from './document-path.ts'
import type { GraphNode } from './graph.ts'
import { checkImage, findSuffixMismatch, resolveRunner, type ImageRules } from './image.ts'
import type { Report } from './issue-collector.ts'
import { CHANNELS_MAX } from './limits.ts'
import { normaliseReplicas } from './normalise-autoscaling.ts'
import { normaliseTensorMapping } from './normalise-tensors.ts'
import { reportUnsupportedOfNode } from './not-supported.ts'
import { normaliseResources } from './normalise-resources.ts'
import type { NodeDraft } from './schema.ts'

/** What a node's checks need besides the node. */
export type NodeContext = {
  files: ReadonlySet<string> | undefined
  images: ImageRules
  report: Report
}
type Place = NodeContext & { path: DocumentPath; subject: string }

/** A node without its place in a graph. */
export type PlainNode = Omit<GraphNode, 'subscriptions'>

/** @param id of the node; empty where it has no name (which is reported elsewhere). */
export function normaliseNode(
  draft: NodeDraft,
  id: string,
  path: DocumentPath,
  context: NodeContext,
): PlainNode {
  const { report } = context
  const subject = `node "${draft.name?.slice(0, 60) ?? Number(path.at(-1)) + 1}": `
  const place: Place = { ...context, path, subject }
  const src = draft.src === undefined ? '' : normalisePath(draft.src)
  if (draft.src !== undefined) checkSource(draft.src, draft.image, place)
  if (draft.image !== undefined)
    checkImage(
      draft.image,
      src,
      { path: [...path, 'image'], subject, rules: context.images },
      report,
    )
  reportUnsupportedOfNode(draft, { path, subject, report })
  return {
    id,
    name: draft.name ?? '',
    image: draft.image ?? '',
    src,
    gpu: normaliseGpu(draft.gpu),
    ...normaliseReplicas(draft, place),
    objectStore: normaliseObjectStore(draft.objectStore, place),
    concurrency: draft.concurrency ?? 1,
    ...normaliseBatch(draft.batch, place),
    timeoutMs: draft.timeoutMs ?? null,
    retries: { max: draft.retries?.max ?? 0, backoffMs: draft.retries?.backoffMs ?? 0 },
    onError: draft.onError ?? 'fail',
    resources: normaliseResources(draft.resources, place),
    channels: normaliseChannels(draft.channels, place),
    ...normaliseTensors(draft, place),
  }
}

function checkSource(written: string, image: string | undefined, place: Place): void {
  const { subject, files, images, report } = place
  const path = [...place.path, 'src']
  const src = normalisePath(written)
  const fault = findPathFault(written)
  if (fault !== null) {
    report.add({
      code: 'PATH_INVALID',
      path,
      message: `${subject}src "${written.slice(0, 240)}" ${fault}`,
    })
    return
  }
  if (files !== undefined && !files.has(src)) {
    const similar = findSimilarFile(src, files)
    const message = `${subject}src "${src.slice(0, 240)}" is missing from the bundle`
    const hint =
      similar === null ? 'add the file, or correct the path' : `did you mean "${similar}"?`
    report.add({ code: 'SRC_MISSING', path, message, hint })
  }
  const mismatch = image === undefined ? null : findSuffixMismatch(image, src, images)
  if (mismatch !== null) {
    const message = `${subject}src "${src.slice(0, 240)}" does not fit the ${mismatch.runner} runner of image "${image}", which loads ${mismatch.suffixes.join(', ')}`
    const hint = 'correct the image or the path'
    report.add({ code: 'SRC_RUNNER_MISMATCH', path, message, hint })
  }
}

/** Other runners have code that knows the model, so what the manifest says about tensors would mislead its reader. */
function normaliseTensors(
  { tensors, image, src }: NodeDraft,
  { subject, path, images, report }: Place,
): Pick<GraphNode, 'tensors'> {
  if (tensors === undefined) return {}
  const resolution = image === undefined ? null : resolveRunner(image, src ?? '', images)
  if (resolution !== null && 'runner' in resolution && resolution.runner !== 'onnx')
    report.add({
      code: 'FIELD_VALUE',
      path: [...path, 'tensors'],
      part: 'key',
      message: `${subject}"tensors" is for nodes that run a model without code, and image "${image}" runs ${resolution.runner}`,
      hint: 'remove it, or write image: konstellation/kre-onnx:<tag>',
    })
  return { tensors: normaliseTensorMapping(tensors) }
}

function normaliseGpu(gpu: NodeDraft['gpu']): GraphNode['gpu'] {
  if (gpu === undefined || gpu === false) return null
  return gpu === true
    ? { count: 1, class: null }
    : { count: gpu.count ?? 1, class: gpu.class ?? null }
}

function normaliseBatch(
  batch: NodeDraft['batch'],
  { path, subject, report }: Place,
): Pick<GraphNode, 'batch'> {
  if (batch?.maxSize === undefined) return {}
  const { maxSize, maxDelayMs, maxWaitMs } = batch
  if (maxDelayMs !== undefined && maxWaitMs !== undefined) {
    const message = `${subject}batch has maxDelayMs and maxWaitMs, which mean the same`
    const hint = 'remove maxWaitMs'
    report.add({ code: 'FIELD_VALUE', path: [...path, 'batch', 'maxWaitMs'], message, hint })
  }
  return { batch: { maxSize, maxDelayMs: maxDelayMs ?? maxWaitMs ?? 0 } }
}

function normaliseObjectStore(
  store: NodeDraft['objectStore'],
  { path, subject, report }: Place,
): GraphNode['objectStore'] {
  if (store?.name === undefined) return null
  if (!RESOURCE_NAME.test(store.name) || store.name.length > RESOURCE_NAME_CHARS_MAX) {
    const message = `${subject}objectStore name "${store.name.slice(0, 60)}" is not legal: a-z, 0-9 and "-" inside, at most ${RESOURCE_NAME_CHARS_MAX} characters`
    report.add({ code: 'OBJECT_STORE_NAME', path: [...path, 'objectStore', 'name'], message })
  }
  return { name: store.name, scope: store.scope ?? 'workflow' }
}

function normaliseChannels(
  channels: NodeDraft['channels'],
  { path, subject, report }: Place,
): GraphNode['channels'] {
  if (channels === undefined) return null
  const listPath = [...path, 'channels']
  checkCount(channels, CHANNELS_MAX, { path: listPath, subject, noun: 'channels' }, report)
  const names = new Set<string>()
  for (const [i, channel] of channels.entries()) {
    if (channel === undefined) continue
    const shown = `${subject}channel "${channel.slice(0, 60)}"`
    const add = (message: string) =>
      report.add({ code: 'CHANNEL_INVALID', path: [...listPath, i], message })
    if (!CHANNEL_NAME.test(channel))
      add(`${shown} is not legal: letters, digits, "_" and "-", 1 to 32 of them`)
    else if (names.has(channel)) add(`${shown} is declared twice`)
    names.add(channel)
  }
  return [...names]
}
