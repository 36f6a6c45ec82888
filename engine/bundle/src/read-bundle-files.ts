import { createReadStream } from 'node:fs'
import { KreError } from '@kre/contracts/pod'
import { createByteReader } from './archive/byte-reader.ts'
import { gunzipMember } from './archive/gunzip-member.ts'
import { tarEntries } from './archive/tar-entries.ts'
import { BundleRejection } from './issues.ts'
import { DEFAULT_LIMITS } from './limits.ts'

/**
 * Some files of a canonical archive, by their path: reads the archive until the last of them was there.
 *
 * @param limits what is larger is left out: a file above `fileBytesMax`, and all beyond `bytesMax` together.
 * @throws KreError `failed-precondition` for an archive that this package did not write.
 */
export async function readBundleFiles(
  archive: string,
  paths: ReadonlySet<string>,
  limits: { fileBytesMax: number; bytesMax: number },
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  let missing = paths.size
  let bytes = 0
  const file = createReadStream(archive)
  try {
    if (missing === 0) return found
    const tar = createByteReader(gunzipMember(createByteReader(file)))
    for await (const { path, size, content } of tarEntries(tar, DEFAULT_LIMITS)) {
      const isWanted = paths.has(path)
      const isKept = isWanted && size <= limits.fileBytesMax && bytes + size <= limits.bytesMax
      const chunks: Uint8Array[] = []
      for await (const chunk of content) if (isKept) chunks.push(Buffer.from(chunk))
      if (isKept) {
        found.set(path, Buffer.concat(chunks))
        bytes += size
      }
      if (isWanted) missing -= 1
      if (missing === 0) break
    }
    return found
  } catch (thrown) {
    if (!(thrown instanceof BundleRejection)) throw thrown
    const { code, message } = thrown.issue
    throw new KreError('failed-precondition', `${archive}: ${code} ${message}`, { reason: code })
  } finally {
    file.destroy()
  }
}
