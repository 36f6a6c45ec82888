import { KreError } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { InvalidBundle } from '../uploads/invalid-bundle.ts'
import { takeBundle } from '../uploads/take-bundle.ts'
import { findVersion } from '../versions/read-versions.ts'
import type { GraphqlContext } from './context.ts'
import { toGraphqlVersion } from './to-graphql-version.ts'

/** KRE's own way to upload, for its clients. */
export function createUploadMutations(deps: FeatureDeps) {
  return {
    createVersion: async (
      _: unknown,
      { input }: { input: { runtimeId: string } },
      { principal, file, signal }: GraphqlContext,
    ) => {
      if (file === null) throw noFile()
      const { runtimeId } = input
      const bundle = { principal, runtimeId, chunks: file.take(), sha256: null, signal }
      const outcome = await takeBundle(deps, bundle)
      if (outcome.kind === 'refused') throw new InvalidBundle(outcome.issues)
      const { versionName } = outcome
      return toGraphqlVersion(await findVersion(deps, { principal, runtimeId, versionName }))
    },
  }
}

function noFile(): KreError {
  return new KreError(
    'invalid-argument',
    'no file came with the operation: send a multipart request to an engine with KRE_GRAPHQL_UPLOADS=true, or the file alone to PUT /api/v1/runtimes/{id}/versions',
    { field: 'file' },
  )
}
