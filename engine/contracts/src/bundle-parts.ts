/**
 * A bundle as pods get it: numbered parts under subjects of its own, first of the archive, then of the descriptors of its
 * protos; and what tells that all of them are there.
 */
import { KreError } from './errors.ts'
import { parseJson } from './parse-json.ts'
import { number, object } from './runtime/shape.ts'

/** Of one part: half of what a server with its defaults takes. */
export const BUNDLE_PART_BYTES = 512 * 1024
/** The largest archive, 2 GiB, with room. */
const PARTS_MAX = 8_192

/** Written last, under the part `contents`. */
export type BundleContents = {
  /** At least one. */
  archiveParts: number
  /** They come behind those of the archive. */
  descriptorParts: number
}
const Contents = object<BundleContents>({ archiveParts: number, descriptorParts: number })

/** @throws KreError `failed-precondition` for anything else. */
export function readBundleContents(data: Uint8Array): BundleContents {
  const parsed = Contents.safeParse(parseJson(new TextDecoder().decode(data)))
  if (parsed.success) {
    const { archiveParts, descriptorParts } = parsed.data
    if (isCount(archiveParts, 1) && isCount(descriptorParts, 0))
      return { archiveParts, descriptorParts }
  }
  throw new KreError(
    'failed-precondition',
    'what says of which parts a bundle is made can not be read: start the version again',
  )
}

function isCount(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least && value <= PARTS_MAX
}
