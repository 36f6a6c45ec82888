import { readBundleFiles } from '@kre/bundle'
import { KreError, MiB } from '@kre/contracts'
import type { Store, Version } from '@kre/store'
import { documentPaths } from './document-type.ts'

/** A larger document is none. */
const FILE_BYTES_MAX = 8 * MiB
/** Of one bundle's documents; what is beyond is left out, in the order of the archive. */
const BUNDLE_BYTES_MAX = 32 * MiB
/** Bundles whose documents stay in memory: those of the versions that people look at. */
const BUNDLES_MAX = 4

export type DocumentReader = {
  /** The contents of a version's document. @throws KreError `not-found`. */
  read(version: Version, path: string): Promise<Buffer>
}

/**
 * Reads documents out of bundles' archives. All documents of a bundle are read at once, since pages have pictures; the
 * next ones come from memory.
 */
export function createDocumentReader({ bundles }: Pick<Store, 'bundles'>): DocumentReader {
  /** By digest; the one that was used last is the last. */
  const cache = new Map<string, Promise<ReadonlyMap<string, Buffer>>>()

  const open = ({ bundleDigest, facts }: Version): Promise<ReadonlyMap<string, Buffer>> => {
    const known = cache.get(bundleDigest)
    if (known !== undefined) {
      cache.delete(bundleDigest)
      cache.set(bundleDigest, known)
      return known
    }
    const documents = readAll(bundleDigest, documentPaths(facts.files))
    cache.set(bundleDigest, documents)
    // What failed may work the next time.
    documents.catch(() => cache.delete(bundleDigest))
    const [oldest] = cache.keys()
    if (cache.size > BUNDLES_MAX && oldest !== undefined) cache.delete(oldest)
    return documents
  }
  const readAll = async (digest: string, paths: readonly string[]) =>
    readBundleFiles(await bundles.path(digest), new Set(paths), {
      fileBytesMax: FILE_BYTES_MAX,
      bytesMax: BUNDLE_BYTES_MAX,
    })

  return {
    async read(version, path) {
      const document = (await open(version)).get(path)
      if (document !== undefined) return document
      throw new KreError(
        'not-found',
        `this document is not served: it is larger than ${FILE_BYTES_MAX / MiB} MiB, or the bundle's documents are larger than ${BUNDLE_BYTES_MAX / MiB} MiB together`,
      )
    },
  }
}
