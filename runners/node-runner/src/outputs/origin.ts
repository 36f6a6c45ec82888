import type { NodeLaunch, OutputRecord } from '@kre/contracts/runtime'

type Origin = Pick<
  OutputRecord,
  | 'runtimeId'
  | 'version'
  | 'versionId'
  | 'workflow'
  | 'workflowName'
  | 'node'
  | 'nodeName'
  | 'requestId'
>

/** Whose an output is. */
export function originOf(launch: NodeLaunch, requestId: string | null): Origin {
  return {
    runtimeId: launch.runtimeId,
    version: launch.version,
    versionId: launch.versionId,
    workflow: launch.workflow,
    workflowName: launch.workflowName,
    node: launch.node,
    nodeName: launch.nodeName,
    requestId,
  }
}
