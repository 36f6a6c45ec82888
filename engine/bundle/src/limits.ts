/** What a bundle may cost. Every bound can be lowered by an installation, never raised. */
import { GiB, KiB, KreError, MiB, MINUTE_MS } from '@kre/contracts/pod'

export type BundleLimits = {
  /** Bytes of the upload as sent: what a proxy in front and the store behind are sized for. */
  readonly compressedBytesMax: number
  /** Bytes after decompression: what a pod's volume must be able to hold. */
  readonly uncompressedBytesMax: number
  /** Uncompressed to compressed; real code and models stay far below, bombs far above. */
  readonly ratioMax: number
  /** The ratio is not looked at below this size: a small file of zeros is no attack. */
  readonly ratioFromBytes: number
  /** Tar headers of every kind, so that empty metadata cannot be sent without end. */
  readonly entriesMax: number
  /** UTF-8 bytes of one path: fits every file system below a data folder of ours (255 per name, 1,024 in all). */
  readonly pathBytesMax: number
  /** Folders above a file, plus one: a tree that people can still read. */
  readonly pathSegmentsMax: number
  /** Bytes of one pax or GNU long-name header; it is held in memory. */
  readonly extendedHeaderBytesMax: number
  /** All of them together: records of a few bytes cost more time than any other part of an archive. */
  readonly extendedHeadersTotalBytesMax: number
  /** Zero bytes after the end of the tar: GNU tar pads to a record, a big one has 1 MiB. */
  readonly paddingBytesMax: number
  /** The manifest is held in memory as a syntax tree of about 100 times its size. */
  readonly manifestBytesMax: number
  /** One .proto: parsing cost grows faster than its size. */
  readonly protoBytesMax: number
  /** All .proto files the entrypoint needs, together. */
  readonly protoTotalBytesMax: number
  readonly protoFilesMax: number
  /** Fields of one message: a popular parser took 29 s for one message of 16,000. */
  readonly protoFieldsMax: number
  /** Messages and enums over all files. */
  readonly protoMessagesMax: number
  /** Messages within messages, and parts of a package's name: what protoc takes, and every runtime reads back. */
  readonly protoDepthMax: number
  /** Source files above this are not checked for syntax: the check is a courtesy, not a gate. Python needs 900 times their size. */
  readonly checkedSourceBytesMax: number
  /** All checked sources together; further ones are left to the runner. */
  readonly checkedSourcesTotalBytesMax: number
  /** Dashboards are read whole to see that they are JSON. */
  readonly dashboardBytesMax: number
  /** All dashboards together. */
  readonly dashboardsTotalBytesMax: number
  /** Fields of the wire format that are looked at, over all models: a large model has 100,000, most in its graph. */
  readonly modelPartsMax: number
  /** Time the validator may work on one bundle; waiting for the uploader does not count. */
  readonly workMs: number
}

export const DEFAULT_LIMITS: BundleLimits = Object.freeze({
  compressedBytesMax: 512 * MiB,
  uncompressedBytesMax: 2 * GiB,
  ratioMax: 200,
  ratioFromBytes: 16 * MiB,
  entriesMax: 10_000,
  pathBytesMax: 240,
  pathSegmentsMax: 16,
  extendedHeaderBytesMax: 64 * KiB,
  extendedHeadersTotalBytesMax: 16 * MiB,
  paddingBytesMax: MiB,
  manifestBytesMax: 256 * KiB,
  protoBytesMax: 128 * KiB,
  protoTotalBytesMax: 512 * KiB,
  protoFilesMax: 32,
  protoFieldsMax: 500,
  protoMessagesMax: 2_000,
  protoDepthMax: 32,
  checkedSourceBytesMax: 256 * KiB,
  checkedSourcesTotalBytesMax: 4 * MiB,
  dashboardBytesMax: MiB,
  dashboardsTotalBytesMax: 16 * MiB,
  modelPartsMax: 1_000_000,
  workMs: 2 * MINUTE_MS,
})

/**
 * The default limits with some of them lowered.
 *
 * @throws KreError `invalid-argument` for a limit above its default or below zero.
 */
export function lowerLimits(changes: Partial<BundleLimits> = {}): BundleLimits {
  for (const [name, value] of Object.entries(changes)) {
    const highest = DEFAULT_LIMITS[name as keyof BundleLimits]
    if (highest === undefined || !(value >= 0 && value <= highest))
      throw new KreError(
        'invalid-argument',
        `bundle limit "${name}": ${value} is not in 0..${highest ?? 'nothing, it is unknown'}; limits can only be lowered`,
      )
  }
  return { ...DEFAULT_LIMITS, ...changes }
}
