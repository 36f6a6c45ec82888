import { sep } from 'node:path'

/**
 * Which of the paths have to be mounted to be seen: those in folders that are hidden, without those that are seen
 * with another one. Pure.
 */
export function pathsToShow(paths: readonly string[], hidden: readonly string[]): string[] {
  const covered = paths.filter((path) => hidden.some((folder) => isWithin(path, folder)))
  const isSeenWith = (path: string, other: string) =>
    other !== path &&
    isWithin(path, other) &&
    // What is hidden inside the other one covers what it holds.
    !hidden.some((folder) => folder !== other && isWithin(folder, other) && isWithin(path, folder))
  return [...new Set(covered)].filter((path) => !covered.some((other) => isSeenWith(path, other)))
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}
