import type { LogRecord } from '@kre/contracts/runtime'
import type { ServedVersion } from '../versions/served-version.ts'

type Origin = Pick<
  LogRecord,
  | 'runtimeId'
  | 'version'
  | 'versionId'
  | 'workflow'
  | 'workflowName'
  | 'node'
  | 'nodeName'
  | 'requestId'
>

/** Where a record of the entrypoint comes from; a workflow's display name is not known here. */
export function originOf(
  version: ServedVersion,
  workflow: string | null,
  requestId: string | null,
): Origin {
  return {
    ...version.ref,
    versionId: version.versionId,
    workflow,
    workflowName: workflow,
    node: null,
    nodeName: null,
    requestId,
  }
}
