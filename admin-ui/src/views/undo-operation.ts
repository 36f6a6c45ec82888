/** What takes an operation back. Pure. */
import type { VersionOperation } from '@kre/contracts/version-status'

export type Undo = {
  readonly operation: 'publish' | 'unpublish'
  readonly versionName: string
  /** What must still be published, so that nobody else's change is taken back; null = not asked. */
  readonly ifPublished: string | null
}

/**
 * Publishing and unpublishing change one route, and changing it back is all that it takes. Null for the rest: what was
 * stopped has lost its processes, what was deleted is gone.
 *
 * @param publishedName what was published before.
 */
export function undoOf(
  operation: VersionOperation,
  versionName: string,
  publishedName: string | null,
): Undo | null {
  if (operation === 'unpublish') return { operation: 'publish', versionName, ifPublished: '' }
  if (operation !== 'publish' || publishedName === versionName) return null
  return publishedName === null
    ? { operation: 'unpublish', versionName, ifPublished: null }
    : { operation: 'publish', versionName: publishedName, ifPublished: versionName }
}
