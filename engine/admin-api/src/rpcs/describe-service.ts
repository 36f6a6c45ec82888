import { readBundleFiles, readProtoComments, type TypeDescriptions } from '@kre/bundle'
import { MiB, toKreError } from '@kre/contracts'
import type { Version } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'
import type { VersionTypes } from './version-types.ts'

/** More than a valid bundle has in .proto files. */
const PROTO_BYTES_MAX = 2 * MiB

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

type DescribeServiceDeps = Pick<FeatureDeps, 'runtimes' | 'versions' | 'bundles' | 'logger'> & {
  versionTypes: VersionTypes
}

/**
 * The rpcs of a version's `service Entrypoint`, and the messages that their requests are made of, with the comments of
 * the .proto files.
 *
 * @throws KreError `not-found`.
 */
export async function describeService(
  deps: DescribeServiceDeps,
  query: { principal: Principal; runtimeId: string; versionName: string },
): Promise<ServiceDescription> {
  const { principal, runtimeId, versionName } = query
  authorize(principal, 'view versions', runtimeId)
  const version = await requireVersion(deps, runtimeId, versionName)
  const types = deps.versionTypes(version)
  const { methods } = version.facts
  const comments = await commentsOf(deps, version, types.files)
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

/** A form can do without them, so a bundle that can't be read has none. */
async function commentsOf(
  { bundles, logger }: Pick<DescribeServiceDeps, 'bundles' | 'logger'>,
  { bundleDigest }: Version,
  files: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  try {
    const found = await readBundleFiles(await bundles.path(bundleDigest), new Set(files), {
      fileBytesMax: PROTO_BYTES_MAX,
      bytesMax: PROTO_BYTES_MAX,
    })
    return readProtoComments([...found.values()].map((bytes) => bytes.toString('utf8')))
  } catch (error) {
    logger.warn({ err: toKreError(error), bundleDigest }, 'comments of protos not read')
    return new Map()
  }
}
