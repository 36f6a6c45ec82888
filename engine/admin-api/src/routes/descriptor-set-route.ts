import type { FeatureDeps } from '../context.ts'
import type { Route } from '../http/exchange.ts'
import { findVersion } from '../versions/read-versions.ts'

/** `GET …/versions/{name}/descriptor-set`: the messages of a version's rpcs, as a binary FileDescriptorSet. */
export function createDescriptorSetRoute(deps: FeatureDeps): Route {
  return {
    method: 'GET',
    path: '/api/v1/runtimes/:id/versions/:name/descriptor-set',
    access: 'signed-in',
    async handle({ res, params, principal }) {
      const query = { principal, runtimeId: params['id'] ?? '', versionName: params['name'] ?? '' }
      const { version } = await findVersion(deps, query)
      const body = Buffer.from(version.facts.descriptorSet, 'base64')
      res.writeHead(200, {
        'Content-Type': 'application/x-protobuf',
        'Content-Length': body.length,
        ETag: `"${version.bundleDigest}"`,
      })
      res.end(body)
    },
  }
}
