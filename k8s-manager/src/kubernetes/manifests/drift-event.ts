/** What people see with `kubectl get events` when an object was changed by hand. */
import type { CoreV1Event } from '@kubernetes/client-node'
import type { ClusterObject } from '../cluster/kinds.ts'
import { FIELD_MANAGER } from './identity.ts'

/** Of a list that may be long; the API server takes 1,024 bytes. */
const FIELDS_SHOWN = 8

/** An Event as JSON: its times are texts there. */
export type WrittenEvent = Omit<CoreV1Event, 'firstTimestamp' | 'lastTimestamp'> & {
  firstTimestamp: string
  lastTimestamp: string
}

/** @param lost fields that somebody has changed or removed; `all` = the whole object. */
export function driftEvent(
  { apiVersion, kind, metadata = {} }: ClusterObject,
  lost: readonly string[],
  at: Date,
): WrittenEvent {
  const { namespace, name, uid, resourceVersion } = metadata
  const time = at.toISOString()
  const more = lost.length > FIELDS_SHOWN ? ` and ${lost.length - FIELDS_SHOWN} more` : ''
  const what = lost.includes('all')
    ? 'was removed or replaced'
    : `was changed (${lost.slice(0, FIELDS_SHOWN).join(', ')}${more})`
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { generateName: 'kre-drift-', ...(namespace === undefined ? {} : { namespace }) },
    involvedObject: {
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(kind === undefined ? {} : { kind }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    reason: 'DriftRepaired',
    message: `${kind} ${name} ${what} by somebody else: KRE has made it what its version needs`,
    type: 'Warning',
    count: 1,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component: FIELD_MANAGER },
    reportingComponent: FIELD_MANAGER,
    reportingInstance: FIELD_MANAGER,
  }
}
