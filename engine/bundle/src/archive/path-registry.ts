import { BundleRejection, printable } from '../issues.ts'

type Kind = 'file' | 'directory'

/**
 * Refuses two names that some file system takes for one: equal after Unicode composition and case folding,
 * or a file where a directory is.
 */
export function createPathRegistry() {
  const seen = new Map<string, { spelling: string; kind: Kind }>()

  function addOne(path: string, kind: Kind): void {
    const key = foldPath(path)
    const known = seen.get(key)
    if (known === undefined) {
      seen.set(key, { spelling: path, kind })
      return
    }
    if (known.kind === 'directory' && kind === 'directory' && known.spelling === path) return
    throw new BundleRejection('ARCHIVE_DUPLICATE', describeClash(known, { spelling: path, kind }))
  }

  return {
    /**
     * Also takes the directories above it.
     *
     * @throws BundleRejection `ARCHIVE_DUPLICATE`
     */
    add(path: string, kind: Kind): void {
      for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1))
        addOne(path.slice(0, slash), 'directory')
      addOne(path, kind)
    },
  }
}

function describeClash(
  first: { spelling: string; kind: Kind },
  second: { spelling: string; kind: Kind },
): string {
  if (first.spelling !== second.spelling)
    return `${printable(first.spelling)} and ${printable(second.spelling)} are one name on systems that ignore case or Unicode form`
  if (first.kind !== second.kind)
    return `${printable(first.spelling)} is both a file and a directory`
  return `${printable(first.spelling)} is in the archive twice`
}

/**
 * Lower, upper and lower case again reach letters that have no single-step folding: `ß`, the final sigma, and the
 * capital `ẞ`, which is its own upper case.
 */
function foldPath(path: string): string {
  return path.toLowerCase().toUpperCase().toLowerCase().normalize('NFC')
}
