import { compareVersions } from '../comparison/compare-versions.ts'
import type { FeatureDeps } from '../context.ts'
import type { GraphqlContext } from './context.ts'

/** What is different in another version. */
export function createComparisonQueries(deps: FeatureDeps) {
  return {
    versionComparison: (
      _: unknown,
      args: { runtimeId: string; versionName: string; fromVersionName: string },
      { principal }: GraphqlContext,
    ) => compareVersions(deps, { ...args, principal }),
  }
}
