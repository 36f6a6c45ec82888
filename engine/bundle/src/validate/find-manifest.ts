import type { BundleFile } from '../contents/content-store.ts'
import { BundleRejection } from '../issues.ts'

export const MANIFEST_NAMES = ['kre.yaml', 'kre.yml', 'krt.yaml', 'krt.yml'] as const

/**
 * The one manifest at the root.
 *
 * @throws BundleRejection `MANIFEST_MISSING` or `MANIFEST_AMBIGUOUS`
 */
export function findManifest(files: readonly BundleFile[]): BundleFile {
  const found = files.filter(({ path }) => MANIFEST_NAMES.some((name) => name === path))
  const [manifest, second] = found
  if (manifest === undefined)
    throw new BundleRejection(
      'MANIFEST_MISSING',
      `the bundle has no manifest at its root; it is named one of ${MANIFEST_NAMES.join(', ')}`,
      {},
      hintNested(files),
    )
  if (second !== undefined)
    throw new BundleRejection(
      'MANIFEST_AMBIGUOUS',
      `the bundle has more than one manifest: ${found.map(({ path }) => path).join(', ')}`,
      {},
      'keep one of them',
    )
  return manifest
}

/** The usual slip: the folder was packed instead of what is in it. */
function hintNested(files: readonly BundleFile[]): string {
  const nested = files.find(({ path }) => MANIFEST_NAMES.some((name) => path.endsWith(`/${name}`)))
  return nested === undefined
    ? 'add kre.yaml'
    : `there is ${nested.path}: pack the folder it is in, not one above it`
}
