/** A path of the bundle as the manifest writes it, in the archive's form: without a leading `./`. */
export function normalisePath(path: string): string {
  return path.startsWith('./') ? path.slice(2) : path
}

/** Why `path` can't be a file of the bundle, or null. */
export function findPathFault(path: string): string | null {
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path))
    return 'is absolute; write it from the root of the bundle'
  if (path.includes('\\')) return 'has a backslash; write "/"'
  const segments = normalisePath(path).split('/')
  if (segments.includes('..'))
    return 'leaves its folder with ".."; write it from the root of the bundle'
  if (segments.includes('.') || segments.includes(''))
    return 'has an empty or "." part; leave it out'
  return null
}

/** The file of the bundle that `path` was probably meant to be: the one of the same file name, or null. */
export function findSimilarFile(path: string, files: ReadonlySet<string>): string | null {
  const name = fileName(path).toLowerCase()
  for (const file of files) if (fileName(file).toLowerCase() === name) return file
  return null
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
