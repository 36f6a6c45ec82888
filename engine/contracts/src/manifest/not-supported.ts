/**
 * Legal fields that this engine does not act on: said aloud, never dropped in silence.
 * A warning where the version still does what its author wrote, only with less; an error where it would do something else.
 */
import type { DocumentPath } from './document-path.ts'
import type { Report } from './issue-collector.ts'
import { DURATION } from './quantity.ts'
import type { CommonDraft, NodeDraft, SequentialDraft, WorkflowDraft } from './schema.ts'

const LABEL_KEY =
  /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/

type Place = { path: DocumentPath; subject: string; report: Report }

export function reportUnsupportedOfNode(node: NodeDraft, place: Place): void {
  const { warn, refuse } = reporters(place)
  if (node.maxRevisits !== undefined) refuse('maxRevisits', 'cycles can not be run')
  if (node.secrets !== undefined && node.secrets.length > 0)
    refuse('secrets', 'the node would not receive them', 'declare them under config.variables')
  if (node.nodeSelectors !== undefined) warn('nodeSelectors', 'the node may run anywhere')
  if (node.config !== undefined) warn('config', 'these defaults are not set')
  if (node.objectStore?.ttl !== undefined)
    warn('objectStore.ttl', 'objects live as long as their store')
  checkShapes(node, place)
}

export function reportUnsupportedOfWorkflow(
  workflow: WorkflowDraft | SequentialDraft,
  place: Place,
): void {
  const { warn, refuse } = reporters(place)
  if (workflow.durability === 'accepted')
    refuse('durability: accepted', 'requests would be lost with the process that holds them')
  if (workflow.config !== undefined) warn('config', 'these defaults are not set')
  if (workflow.type !== undefined) {
    const message = `${place.subject}"type" is a label only, which nothing shows yet`
    const path = [...place.path, 'type']
    place.report.add({ code: 'NOT_SUPPORTED_YET', level: 'info', path, part: 'key', message })
  }
}

export function reportUnsupportedOfManifest(draft: CommonDraft, report: Report): void {
  for (const [i, trigger] of (draft.triggers ?? []).entries()) {
    const path = ['triggers', i]
    const kinds = (['rest', 'cron', 'webhook'] as const).filter(
      (kind) => trigger?.[kind] !== undefined,
    )
    if (trigger !== undefined && kinds.length !== 1) {
      const message = `trigger ${i + 1} is ${kinds.length === 0 ? 'of no kind' : kinds.join(' and ')}`
      report.add({ code: 'FIELD_VALUE', path, message, hint: 'write one of rest, cron, webhook' })
    }
    const message = `trigger ${i + 1} has no effect: only gRPC calls feed workflows`
    report.add({ code: 'NOT_SUPPORTED_YET', path, message })
  }
  if (draft.entrypoint?.src !== undefined) {
    const path = ['entrypoint', 'src']
    const message = 'entrypoint.src has no effect: the entrypoint is made from the proto'
    report.add({ code: 'FIELD_IGNORED', path, part: 'key', message, hint: 'remove it' })
  }
}

/** What the schema can't say about fields that have no effect: they must be right on the day they get one. */
function checkShapes(node: NodeDraft, { path, subject, report }: Place): void {
  const ttl = node.objectStore?.ttl
  if (ttl !== undefined && !DURATION.test(ttl)) {
    const message = `${subject}objectStore.ttl "${ttl.slice(0, 40)}" is no duration`
    const ttlPath = [...path, 'objectStore', 'ttl']
    report.add({ code: 'FIELD_VALUE', path: ttlPath, message, hint: 'write for example 5d' })
  }
  for (const [key, value] of Object.entries(node.nodeSelectors ?? {})) {
    if (value === undefined || (LABEL_KEY.test(key) && LABEL_VALUE.test(value))) continue
    const message = `${subject}nodeSelectors ${JSON.stringify(key.slice(0, 80))} is no Kubernetes label`
    report.add({ code: 'FIELD_VALUE', path: [...path, 'nodeSelectors', key], message })
  }
}

function reporters({ path, subject, report }: Place) {
  const add = (level: 'warning' | 'error', field: string, effect: string, hint?: string) =>
    report.add({
      code: 'NOT_SUPPORTED_YET',
      level,
      path: [...path, ...(field.split(':')[0] ?? field).split('.')],
      part: 'key',
      message: `${subject}"${field}" is not supported yet: ${effect}`,
      hint: hint ?? (level === 'error' ? `remove ${field}` : 'it is accepted and has no effect'),
    })
  return {
    warn: (field: string, effect: string) => add('warning', field, effect),
    refuse: (field: string, effect: string, hint?: string) => add('error', field, effect, hint),
  }
}
