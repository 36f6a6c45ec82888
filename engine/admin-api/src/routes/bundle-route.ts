import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { whileAllowed } from '../access/while-allowed.ts'
import type { FeatureDeps } from '../context.ts'
import type { Route } from '../http/exchange.ts'
import { findVersion } from '../versions/read-versions.ts'

/** `GET /api/v1/runtimes/{id}/versions/{name}/bundle`: the canonical archive, as it runs. */
export function createBundleRoute(deps: FeatureDeps): Route {
  return {
    method: 'GET',
    path: '/api/v1/runtimes/:id/versions/:name/bundle',
    access: 'signed-in',
    async handle({ res, params, principal, signal }) {
      const query = { principal, runtimeId: params['id'] ?? '', versionName: params['name'] ?? '' }
      const { version } = await findVersion(deps, query)
      const path = await deps.bundles.path(version.bundleDigest)
      const { size } = await stat(path)
      res.writeHead(200, {
        'Content-Type': 'application/gzip',
        'Content-Length': size,
        // The name is a resource name, so nothing in it needs quoting.
        'Content-Disposition': `attachment; filename="${version.name}.krt"`,
        ETag: `"${version.bundleDigest}"`,
      })
      const deed = { principal, action: 'view versions', runtimeId: query.runtimeId } as const
      await pipeline(whileAllowed(deps, deed, createReadStream(path)), res, { signal })
    },
  }
}
