/**
 * A bundle as pods get it: numbered parts under subjects of its own, first of the archive, then of the descriptors of its
 * protos and of its code without types; and what tells that all of them are there.
 */
import { KreError } from './errors.ts'
import { parseJson } from './parse-json.ts'
import { listOf, number, object, optional, text } from './runtime/shape.ts'

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
  /** They come behind those of the descriptors. Absent = an engine that stripped no types has put the bundle there. */
  codeParts?: number
}
const Contents = object<BundleContents>({
  archiveParts: number,
  descriptorParts: number,
  codeParts: optional(number),
})
const Code = listOf(listOf(text))

/** @throws KreError `failed-precondition` for anything else. */
export function readBundleContents(data: Uint8Array): BundleContents {
  const parsed = Contents.safeParse(parseJson(new TextDecoder().decode(data)))
  if (parsed.success) {
    const { archiveParts, descriptorParts, codeParts } = parsed.data
    if (isCount(archiveParts, 1) && isCount(descriptorParts, 0) && isCount(codeParts ?? 0, 0))
      return parsed.data
  }
  throw new KreError(
    'failed-precondition',
    'what says of which parts a bundle is made can not be read: start the version again',
  )
}

function isCount(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least && value <= PARTS_MAX
}

/** Files of a bundle in TypeScript without types, by their paths; nothing for none. */
export function writeStrippedCode(code: ReadonlyMap<string, string>): Uint8Array {
  return new TextEncoder().encode(code.size === 0 ? '' : JSON.stringify([...code]))
}

/** @throws KreError `failed-precondition` for what `writeStrippedCode` did not write. */
export function readStrippedCode(data: Uint8Array): Map<string, string> {
  const parsed = Code.safeParse(data.length === 0 ? [] : parseJson(new TextDecoder().decode(data)))
  if (parsed.success) return new Map(parsed.data.map(([path = '', code = '']) => [path, code]))
  throw new KreError(
    'failed-precondition',
    'the code without types that NATS has of the bundle can not be read: start the version again',
  )
}
