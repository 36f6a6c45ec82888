/**
 * The names a file of a bundle may have: an allow-list that means the same on every operating system,
 * in every shell and in every log.
 */
import { BundleRejection, printable } from '../issues.ts'
import type { BundleLimits } from '../limits.ts'

/** Controls, bidi and other format characters, private and unassigned code points, line separators. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u
/** Letters that draw nothing; variation selectors (emoji) are the exception. */
const INVISIBLE = /(?![\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}/u
const FORBIDDEN = /[\\:*?"<>|]/
/** Windows takes `nul .txt` for the device too. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)/i

/**
 * The path as it is stored: relative, `/` between segments, no leading `./`.
 *
 * @param path may start with one `./`; a directory's trailing `/` has been removed.
 * @throws BundleRejection `ARCHIVE_PATH`
 */
export function checkEntryPath(path: string, limits: BundleLimits): string {
  const stored = path.startsWith('./') ? path.slice(2) : path
  const problem = pathProblem(stored, limits)
  if (problem !== null)
    throw new BundleRejection('ARCHIVE_PATH', `path ${printable(path)} ${problem}`)
  return stored
}

/** Why the path is refused, or null. */
export function pathProblem(path: string, limits: BundleLimits): string | null {
  if (path === '') return 'is empty'
  if (path.startsWith('/')) return 'is absolute; paths are relative to the root of the bundle'
  if (Buffer.byteLength(path) > limits.pathBytesMax)
    return `is longer than ${limits.pathBytesMax} bytes`
  if (!path.isWellFormed()) return 'is not valid Unicode'
  if (UNPRINTABLE.test(path) || INVISIBLE.test(path))
    return 'holds a control or invisible character'
  const forbidden = FORBIDDEN.exec(path)
  if (forbidden !== null)
    return `holds ${JSON.stringify(forbidden[0])}, which not every system allows in a file name`
  if (path.normalize('NFC') !== path)
    return 'is not in Unicode normal form C; rename the file to the composed form of its letters'
  const segments = path.split('/')
  if (segments.length > limits.pathSegmentsMax)
    return `has more than ${limits.pathSegmentsMax} segments`
  for (const segment of segments) {
    const problem = segmentProblem(segment)
    if (problem !== null) return problem
  }
  return null
}

function segmentProblem(segment: string): string | null {
  if (segment === '') return 'has an empty segment'
  if (segment === '.' || segment === '..') return `has a segment "${segment}"`
  if (/[. ]$/.test(segment)) return 'has a segment that ends in a dot or a space'
  if (DEVICE.test(segment)) return `holds the device name ${JSON.stringify(segment)} of Windows`
  return null
}
