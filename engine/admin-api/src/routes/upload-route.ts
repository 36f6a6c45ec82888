import type { UploadOutcome } from '@kre/store'
import { whileAllowed } from '../access/while-allowed.ts'
import type { FeatureDeps } from '../context.ts'
import { toGraphqlVersion } from '../graphql/to-graphql-version.ts'
import { bodyChunks } from '../http/body-chunks.ts'
import type { Exchange, Route } from '../http/exchange.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { mediaType } from '../http/request-origin.ts'
import { sendJson } from '../http/respond.ts'
import { authorize, type Principal } from '../principal.ts'
import { assertCommentLength } from '../releases/require-comment.ts'
import { tooLarge, type ClaimBytes } from '../uploads/bytes-under-way.ts'
import { InvalidBundle } from '../uploads/invalid-bundle.ts'
import type { ResumableUploads } from '../uploads/resumable-uploads.ts'
import { takeBundle } from '../uploads/take-bundle.ts'
import type { UploadSlots } from '../uploads/upload-slots.ts'
import {
  readRuntimeState,
  requireRuntime,
  requireVersion,
  versionState,
} from '../versions/version-state.ts'
import { readDigestHeader } from './digest-header.ts'

type UploadRouteDeps = FeatureDeps & {
  uploadSlots: UploadSlots
  claimBytes: ClaimBytes
  resumable: ResumableUploads
}
type Caller = { readonly principal: Principal; readonly runtimeId: string }

/**
 * `PUT /api/v1/runtimes/{id}/versions`: the body is a `.krt` file; or with `?upload={id}` and no body, the parts of that
 * upload are one. 201 for a new version, 200 for one that is there with the same contents, 409 `VERSION_EXISTS` for
 * other contents, 422 with all issues for an invalid bundle, 400 `DIGEST_MISMATCH` when `Repr-Digest` says otherwise.
 *
 * Nothing of the body is read before the caller, the runtime, the announced size and the quotas are checked.
 */
export function createUploadRoute(deps: UploadRouteDeps): Route {
  return {
    method: 'PUT',
    path: '/api/v1/runtimes/:id/versions',
    access: 'signed-in',
    async handle(exchange) {
      const { res, url, params, principal, requestId } = exchange
      const runtimeId = params['id'] ?? ''
      authorize(principal, 'edit versions', runtimeId)
      const comment = url.searchParams.get('comment')?.trim() ?? ''
      assertCommentLength(comment)
      await requireRuntime(deps, runtimeId)
      const uploadId = url.searchParams.get('upload')
      const caller = { principal, runtimeId }
      const outcome =
        uploadId === null
          ? await receive(deps, exchange, caller)
          : await deps.resumable.finish({ ...caller, uploadId })
      const { issues } = outcome
      if (outcome.kind === 'refused') {
        const { message, details } = new InvalidBundle(issues)
        sendJson(res, 422, { code: details['reason'], message, requestId, issues })
        return
      }
      const { created, versionName: name } = outcome
      if (created)
        deps.logger.info(
          { requestId, runtimeId, version: name, by: principal.email, comment },
          'version created',
        )
      const version = await requireVersion(deps, runtimeId, name)
      const state = versionState(version, await readRuntimeState(deps, runtimeId))
      sendJson(res, created ? 201 : 200, { version: toGraphqlVersion(state), issues })
    },
  }
}

/** Feeds the body to the validator. */
async function receive(
  deps: UploadRouteDeps,
  { req, signal, sendContinue }: Exchange,
  caller: Caller,
): Promise<UploadOutcome> {
  const { uploadLimits: limits } = deps
  if (mediaType(req.headers).startsWith('multipart/')) throw multipart()
  const sha256 = readDigestHeader(req.headers)
  const announced = req.headers['content-length']
  const bytes = announced === undefined ? limits.bytesMax : Number(announced)
  const leave = await deps.claimBytes(caller.principal.email, bytes)
  const answered = new AbortController()
  try {
    const release = await deps.uploadSlots(caller.principal.email, signal)
    try {
      sendContinue()
      const chunks = bodyChunks(req, {
        bytesMax: limits.bytesMax,
        idleMs: limits.idleMs,
        tooLarge: () => tooLarge(limits),
        signal: AbortSignal.any([signal, answered.signal]),
      })
      const deed = { ...caller, action: 'edit versions' } as const
      const allowed = whileAllowed(deps, deed, chunks)
      return await takeBundle(deps, { ...caller, chunks: allowed, sha256, signal })
    } finally {
      release()
    }
  } finally {
    answered.abort()
    leave()
  }
}

function multipart(): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 415, wireCode: 'unsupported_media_type' },
    'send the .krt file itself as the body, not a form (curl --upload-file)',
  )
}
