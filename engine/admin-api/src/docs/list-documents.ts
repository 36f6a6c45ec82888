import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'
import { documentPaths, documentType, DOCUMENTS_FOLDER } from './document-type.ts'

export type Document = {
  /** Inside the bundle, for example `docs/README.md`. */
  path: string
  contentType: string
  isDashboard: boolean
  /** Where its contents are: a path on this API. */
  url: string
}

/**
 * The documents of a version's bundle: what is in `docs/` and of a type that is served, then its dashboards.
 *
 * @throws KreError `not-found`.
 */
export async function listDocuments(
  deps: Pick<FeatureDeps, 'runtimes' | 'versions'>,
  query: { principal: Principal; runtimeId: string; versionName: string },
): Promise<Document[]> {
  const { principal, runtimeId, versionName } = query
  authorize(principal, 'view documents', runtimeId)
  const { name, facts } = await requireVersion(deps, runtimeId, versionName)
  return documentPaths(facts.files).map((path) => ({
    path,
    contentType: documentType(path)?.contentType ?? '',
    isDashboard: !path.startsWith(DOCUMENTS_FOLDER),
    url: `/api/v1/runtimes/${runtimeId}/versions/${name}/document?path=${encodeURIComponent(path)}`,
  }))
}
