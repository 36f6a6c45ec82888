import { readBundleFiles, readProtoComments } from '@kre/bundle'
import { MiB, toKreError } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { Store, Version } from '@kre/store'
import { createSlots } from '@kre/service-kit'

/** More than a valid bundle has in .proto files. */
const PROTO_BYTES_MAX = 2 * MiB
/** Bundles whose comments stay in memory. */
const BUNDLES_MAX = 32

type Comments = ReadonlyMap<string, string>

/** @param files paths of the .proto files that count. @param signal of who asks: nobody reads for those who left. */
export type ProtoComments = (
  version: Pick<Version, 'bundleDigest'>,
  files: readonly string[],
  signal: AbortSignal,
) => Promise<Comments>

/**
 * Comments of bundles' .proto files, by full name. One bundle is read at a time: parsing takes the processor, and a
 * document of GraphQL may ask for those of many versions.
 */
export function createProtoComments({
  bundles,
  logger,
}: Pick<Store, 'bundles'> & { logger: Logger }): ProtoComments {
  /** By digest; the one that was used last is the last. */
  const known = new Map<string, Comments>()
  const takeTurn = createSlots(1)

  const read = async (digest: string, files: readonly string[]): Promise<Comments> => {
    try {
      const found = await readBundleFiles(await bundles.path(digest), new Set(files), {
        fileBytesMax: PROTO_BYTES_MAX,
        bytesMax: PROTO_BYTES_MAX,
      })
      return readProtoComments([...found.values()].map((bytes) => bytes.toString('utf8')))
    } catch (error) {
      // A form can do without them.
      logger.warn({ err: toKreError(error), bundleDigest: digest }, 'comments of protos not read')
      return new Map()
    }
  }
  return async function commentsOf({ bundleDigest }, files, signal) {
    const release = await takeTurn(signal)
    try {
      const comments = known.get(bundleDigest) ?? (await read(bundleDigest, files))
      known.delete(bundleDigest)
      known.set(bundleDigest, comments)
      const [oldest] = known.keys()
      if (known.size > BUNDLES_MAX && oldest !== undefined) known.delete(oldest)
      return comments
    } finally {
      release()
    }
  }
}
