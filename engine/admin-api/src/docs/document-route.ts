import { KreError } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import type { Route } from '../http/exchange.ts'
import { authorize } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'
import { documentType } from './document-type.ts'

/** Opened by itself, a document runs nothing, loads nothing and is of an origin of its own. */
const DOCUMENT_POLICY = "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'"

/**
 * `GET /api/v1/runtimes/{id}/versions/{name}/document?path=docs/README.md`: one document of the version's bundle.
 * The path is looked up among the bundle's own and never touches a file system: any other is 404.
 */
export function createDocumentRoute(
  deps: Pick<FeatureDeps, 'runtimes' | 'versions' | 'documents'>,
): Route {
  return {
    method: 'GET',
    path: '/api/v1/runtimes/:id/versions/:name/document',
    access: 'signed-in',
    async handle({ req, res, url, params, principal }) {
      const runtimeId = params['id'] ?? ''
      authorize(principal, 'view documents', runtimeId)
      const version = await requireVersion(deps, runtimeId, params['name'] ?? '')
      const path = url.searchParams.get('path') ?? ''
      const type = version.facts.files.includes(path) ? documentType(path) : null
      if (type === null) throw new KreError('not-found', 'the bundle has no such document')
      // A bundle's contents never change under its digest; another path never has the same tag.
      const tag = `"${version.bundleDigest}/${Buffer.from(path).toString('base64url')}"`
      const headers = {
        'Content-Type': type.contentType,
        'Content-Security-Policy': DOCUMENT_POLICY,
        'Cache-Control': 'private, no-cache',
        ETag: tag,
        ...(type.isDownload ? { 'Content-Disposition': attachment(path) } : {}),
      }
      if (req.headers['if-none-match'] === tag) {
        res.writeHead(304, headers).end()
        return
      }
      const body = await deps.documents.read(version, path)
      res.writeHead(200, { ...headers, 'Content-Length': body.length })
      res.end(body)
    },
  }
}

/** The last part of the path as the name of a file; what is not plain ASCII travels encoded (RFC 6266). */
function attachment(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const plain = name.replaceAll(/[^\w.-]/g, '_')
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`
}
