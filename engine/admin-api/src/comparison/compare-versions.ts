import { readConfig } from '../config/read-config.ts'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'
import { diffVersions, type VersionDifference } from './diff-versions.ts'

/** More than anybody reads; a bundle may have many thousands of files. */
export const DIFFERENCES_MAX = 1_000

export type VersionComparison = {
  readonly isSameBundle: boolean
  readonly differences: readonly VersionDifference[]
  /** How many differences there are beyond `DIFFERENCES_MAX`. */
  readonly leftOut: number
}

/**
 * What another version of the runtime has otherwise, seen from `fromVersionName`. Values of the configuration are
 * compared by their fingerprints.
 *
 * @throws KreError `not-found` for the runtime or one of the versions.
 */
export async function compareVersions(
  deps: Pick<FeatureDeps, 'runtimes' | 'versions' | 'config' | 'fingerprintKey'>,
  query: {
    principal: Principal
    runtimeId: string
    versionName: string
    fromVersionName: string
  },
): Promise<VersionComparison> {
  const { principal, runtimeId } = query
  authorize(principal, 'view versions', runtimeId)
  const read = async (versionName: string) => {
    const { facts, bundleDigest } = await requireVersion(deps, runtimeId, versionName)
    const { vars } = await readConfig(deps, { principal, runtimeId, versionName })
    return { facts, bundleDigest, config: vars }
  }
  const [from, to] = await Promise.all([read(query.fromVersionName), read(query.versionName)])
  const differences = diffVersions(from, to)
  return {
    isSameBundle: from.bundleDigest === to.bundleDigest,
    differences: differences.slice(0, DIFFERENCES_MAX),
    leftOut: Math.max(0, differences.length - DIFFERENCES_MAX),
  }
}
