/** From what nodes say they listen to, to the edges of a workflow's graph. */
import { CHANNEL_NAME, ENTRYPOINT } from '../names.ts'
import { checkCount } from './check-limits.ts'
import type { DocumentPath } from './document-path.ts'
import type { Subscription } from './graph.ts'
import type { Report } from './issue-collector.ts'
import { SUBSCRIPTIONS_MAX } from './limits.ts'
import { suggestName } from './nearest-name.ts'
import type { NodeDraft, SubscriptionDraft } from './schema.ts'

/** The nodes of one workflow, found by display name or id. */
export type NodeDirectory = {
  workflow: string
  /** Index of the node, by each of its names. */
  indexes: ReadonlyMap<string, number>
  /** Display names, for suggestions. */
  names: readonly string[]
  ids: readonly (string | null)[]
  /** Channels declared by each node; null = any. */
  channels: readonly (readonly string[] | null)[]
}

export function createNodeDirectory(
  workflow: string,
  nodes: readonly {
    id: string | null
    name: string | undefined
    channels: readonly string[] | null
  }[],
): NodeDirectory {
  const indexes = new Map<string, number>()
  for (const [i, { id, name }] of nodes.entries())
    for (const key of [name, id])
      if (key !== undefined && key !== null && !indexes.has(key)) indexes.set(key, i)
  return {
    workflow,
    indexes,
    names: nodes.flatMap(({ name }) => (name === undefined ? [] : [name])),
    ids: nodes.map(({ id }) => id),
    channels: nodes.map(({ channels }) => channels),
  }
}

/** An edge into a node: from another one, or from the entrypoint (null). */
export type Edge = { from: number | null; path: DocumentPath }
export type Subscriptions = {
  subscriptions: Subscription[]
  edges: Edge[]
  /** Some subscription was refused, so that nothing can be said about what reaches the node. */
  isBroken: boolean
}

type Place = { index: number; subject: string; path: DocumentPath; report: Report }

export function readSubscriptions(
  drafts: NodeDraft['subscriptions'],
  directory: NodeDirectory,
  node: Place,
): Subscriptions {
  const { subject, report } = node
  const path = [...node.path, 'subscriptions']
  const result: Subscriptions = { subscriptions: [], edges: [], isBroken: false }
  if (drafts === undefined || drafts.length === 0) {
    const message = `${subject}it subscribes to nothing`
    const hint = 'write subscriptions: [entrypoint], or the nodes that feed it'
    report.add({ code: 'SUBSCRIPTION_MISSING', path, message, hint })
    return { ...result, isBroken: true }
  }
  checkCount(drafts, SUBSCRIPTIONS_MAX, { path, subject, noun: 'subscriptions' }, report)
  const seen = new Set<string>()
  for (const [i, draft] of drafts.entries()) {
    const itemPath = [...path, i]
    const resolved = resolveSubscription(draft, directory, { ...node, path: itemPath })
    if (resolved === null) {
      result.isBroken = true
      continue
    }
    const { subscription, from } = resolved
    const key = `${subscription.from}.${subscription.channel ?? ''}`
    if (seen.has(key)) {
      const message = `${subject}it subscribes to "${describe(subscription)}" twice`
      report.add({ code: 'SUBSCRIPTION_DUPLICATE', path: itemPath, message, hint: 'remove one' })
      continue
    }
    seen.add(key)
    result.subscriptions.push(subscription)
    result.edges.push({ from, path: itemPath })
  }
  return result
}

function resolveSubscription(
  draft: SubscriptionDraft | undefined,
  directory: NodeDirectory,
  place: Place,
): { subscription: Subscription; from: number | null } | null {
  const { subject, report } = place
  const isMap = typeof draft === 'object'
  const reference = isMap ? draft.from : draft
  if (reference === undefined) return null
  const path = isMap ? [...place.path, 'from'] : place.path
  if (isMap && draft.durability !== undefined && draft.durability !== 'fast')
    refuseDurability(draft.durability, place)
  const dot = reference.indexOf('.')
  const source = dot === -1 ? reference : reference.slice(0, dot)
  const channel = dot === -1 ? null : reference.slice(dot + 1)
  const shown = `"${reference.slice(0, 80)}"`
  if (source === ENTRYPOINT) {
    if (channel === null)
      return { subscription: { from: ENTRYPOINT, channel, durability: 'fast' }, from: null }
    const message = `${subject}subscription ${shown} names a channel, and the entrypoint has none`
    report.add({ code: 'CHANNEL_INVALID', path, message, hint: 'write entrypoint' })
    return null
  }
  const from = directory.indexes.get(source)
  const id = from === undefined ? null : (directory.ids[from] ?? null)
  if (from === undefined || id === null) {
    const message = `${subject}no node "${source.slice(0, 60)}" in workflow "${directory.workflow}"`
    const help = suggestName(source, [...directory.names, ENTRYPOINT])
    report.add({ code: 'SUBSCRIPTION_UNKNOWN', path, message, ...help })
    return null
  }
  if (from === place.index) {
    const message = `${subject}it subscribes to itself`
    report.add({ code: 'SUBSCRIPTION_SELF', path, message, hint: 'remove the subscription' })
    return null
  }
  if (
    channel !== null &&
    !checkChannel(channel, directory.channels[from] ?? null, shown, { ...place, path })
  )
    return null
  return { subscription: { from: id, channel, durability: 'fast' }, from }
}

function checkChannel(
  channel: string,
  declared: readonly string[] | null,
  shown: string,
  { subject, path, report }: Place,
): boolean {
  if (!CHANNEL_NAME.test(channel)) {
    const message = `${subject}the channel of subscription ${shown} is not legal`
    const hint = 'a channel is 1 to 32 letters, digits, "_" and "-"'
    report.add({ code: 'CHANNEL_INVALID', path, message, hint })
    return false
  }
  if (declared === null || declared.includes(channel)) return true
  const message = `${subject}subscription ${shown} names a channel that the node does not declare`
  const otherwise =
    declared.length === 0 ? 'it declares none' : `it declares ${declared.join(', ')}`
  report.add({
    code: 'CHANNEL_INVALID',
    path,
    message,
    ...suggestName(channel, declared, otherwise),
  })
  return false
}

/** An edge that promises to survive a crash must not be run as one that does not. */
function refuseDurability(durability: string, { subject, path, report }: Place): void {
  report.add({
    code: 'NOT_SUPPORTED_YET',
    level: 'error',
    path: [...path, 'durability'],
    message: `${subject}"durability: ${durability}" is not supported yet: its messages would be lost with the process that holds them`,
    hint: 'remove it, or write fast',
  })
}

function describe({ from, channel }: Subscription): string {
  return channel === null ? from : `${from}.${channel}`
}
