import type { TypeDescriptions } from '@kre/bundle'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'

export type RpcDescription = {
  readonly name: string
  readonly path: string
  readonly workflow: string | null
  readonly requestType: string
  readonly responseType: string
  readonly serverStreaming: boolean
  readonly comment: string
}
export type ServiceDescription = TypeDescriptions & {
  readonly name: string
  readonly rpcs: readonly RpcDescription[]
}

type DescribeServiceDeps = Pick<
  FeatureDeps,
  'runtimes' | 'versions' | 'versionTypes' | 'protoComments'
>

/**
 * The rpcs of a version's `service Entrypoint`, and the messages that their requests are made of, with the comments of
 * the .proto files.
 *
 * @throws KreError `not-found`.
 */
export async function describeService(
  deps: DescribeServiceDeps,
  query: { principal: Principal; runtimeId: string; versionName: string; signal: AbortSignal },
): Promise<ServiceDescription> {
  const { principal, runtimeId, versionName, signal } = query
  authorize(principal, 'view versions', runtimeId)
  const version = await requireVersion(deps, runtimeId, versionName)
  const types = deps.versionTypes(version)
  const { methods } = version.facts
  const comments = await deps.protoComments(version, types.files, signal)
  const [, service = ''] = /^\/(.+)\//.exec(methods[0]?.path ?? '') ?? []
  return {
    name: service,
    rpcs: methods.map(({ rpc, path, workflow, requestType, responseType, serverStreaming }) => ({
      name: rpc,
      path,
      workflow,
      requestType,
      responseType,
      serverStreaming: serverStreaming ?? false,
      comment: comments.get(`${service}.${rpc}`) ?? '',
    })),
    ...types.describe(
      methods.map(({ requestType }) => requestType),
      comments,
    ),
  }
}
