import type { DocumentPath } from './document-path.ts'
import type { Autoscaling, GraphNode } from './graph.ts'
import type { Report } from './issue-collector.ts'
import { AUTOSCALING_IDLE_MS, AUTOSCALING_QUEUE_AGE_MS, AUTOSCALING_REPLICAS } from './limits.ts'
import type { NodeDraft } from './schema.ts'

type Place = { path: DocumentPath; subject: string; report: Report }

/**
 * How many replicas a node has: a number, or a range in which the engine follows the load. A version starts with one
 * replica of each node at least, so that a node that can't be loaded is found at the start and not at the first request.
 */
export function normaliseReplicas(
  draft: NodeDraft,
  place: Place,
): Pick<GraphNode, 'replicas' | 'autoscaling'> {
  if (draft.autoscaling === undefined) return { replicas: Math.max(1, draft.replicas ?? 1) }
  checkRange(draft, place)
  const autoscaling = withDefaults(draft, draft.autoscaling)
  return { replicas: Math.max(1, autoscaling.min), autoscaling }
}

function withDefaults(
  { concurrency = 1, batch }: NodeDraft,
  draft: NonNullable<NodeDraft['autoscaling']>,
): Autoscaling {
  const min = draft.min ?? 1
  return {
    min,
    max: draft.max ?? Math.max(min, AUTOSCALING_REPLICAS),
    // What one replica handles at the same time.
    targetInFlight: draft.targetInFlight ?? concurrency * (batch?.maxSize ?? 1),
    targetQueueAgeMs: draft.targetQueueAgeMs ?? AUTOSCALING_QUEUE_AGE_MS,
    idleMs: draft.idleMs ?? AUTOSCALING_IDLE_MS,
  }
}

function checkRange({ autoscaling, replicas }: NodeDraft, { path, subject, report }: Place): void {
  const { min, max, targetCpuPercent } = autoscaling ?? {}
  const own = [...path, 'autoscaling']
  if (min !== undefined && max !== undefined && max < min) {
    const message = `${subject}autoscaling.max ${max} is below min ${min}`
    report.add({ code: 'FIELD_RANGE', path: [...own, 'max'], message })
  }
  if (replicas !== undefined) {
    const message = `${subject}"replicas" has no effect beside "autoscaling", which takes its place`
    const hint = 'remove replicas, and set autoscaling.min'
    report.add({ code: 'FIELD_IGNORED', path: [...path, 'replicas'], part: 'key', message, hint })
  }
  if (targetCpuPercent !== undefined) {
    const message = `${subject}"autoscaling.targetCpuPercent" is not supported yet: what is in flight and how long it waits say how many replicas there are`
    const hint = 'it is accepted and has no effect'
    const at = [...own, 'targetCpuPercent']
    report.add({ code: 'NOT_SUPPORTED_YET', path: at, part: 'key', message, hint })
  }
}
