/**
 * A bundle as pods get it: numbered parts under subjects of its own, first of the archive, then of the descriptors of its
 * protos; and what tells that all of them are there.
 */
import { z } from 'zod'
import { KreError } from './errors.ts'
import { parseJson } from './parse-json.ts'

/** Of one part: half of what a server with its defaults takes. */
export const BUNDLE_PART_BYTES = 512 * 1024
/** The largest archive, 2 GiB, with room. */
const PARTS_MAX = 8_192

/** Written last, under the part `contents`. */
export const BundleContents = z.object({
  archiveParts: z.int().min(1).max(PARTS_MAX),
  /** They come behind those of the archive. */
  descriptorParts: z.int().min(0).max(PARTS_MAX),
})
export type BundleContents = z.infer<typeof BundleContents>

/** @throws KreError `failed-precondition` for anything else. */
export function readBundleContents(data: Uint8Array): BundleContents {
  const parsed = BundleContents.safeParse(parseJson(new TextDecoder().decode(data)))
  if (parsed.success) return parsed.data
  throw new KreError(
    'failed-precondition',
    'what says of which parts a bundle is made can not be read: start the version again',
  )
}
