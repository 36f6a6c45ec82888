import type { FeatureDeps } from '../context.ts'

/** Key of the lock on a bundle: whoever stores it and whoever finds it unused must not overlap. */
export function bundleLock(digest: string): string {
  return `bundle/${digest}`
}

/** Removes the bundle when no version of any runtime uses it. */
export async function dropUnusedBundle(
  deps: Pick<FeatureDeps, 'versions' | 'bundles' | 'lock'>,
  digest: string,
): Promise<void> {
  await deps.lock(bundleLock(digest), async () => {
    if (!(await deps.versions.usesBundle(digest))) await deps.bundles.remove(digest)
  })
}
