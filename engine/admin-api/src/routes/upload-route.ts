import { Readable } from 'node:stream'
import { MINUTE_MS, MiB, toKreError } from '@kre/contracts'
import type { KreError } from '@kre/contracts'
import { noteDone } from '../audit/request-scope.ts'
import type { Slots } from '../concurrency/slots.ts'
import type { FeatureDeps } from '../context.ts'
import { toGraphqlVersion } from '../graphql/to-graphql-version.ts'
import { bodyChunks } from '../http/body-chunks.ts'
import type { Exchange, Route } from '../http/exchange.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { mediaType } from '../http/request-origin.ts'
import { sendJson } from '../http/respond.ts'
import { authorize } from '../principal.ts'
import { assertCommentLength } from '../releases/require-comment.ts'
import {
  createVersion,
  type CreateVersion,
  type CreateVersionResult,
} from '../versions/create-version.ts'
import { readRuntimeState, requireRuntime, versionState } from '../versions/version-state.ts'

/** Largest `.krt` that the strict reader takes (security, archive limits). */
export const UPLOAD_BYTES_MAX = 512 * MiB
const UPLOAD_IDLE_MS = MINUTE_MS

/**
 * `PUT /api/v1/runtimes/{id}/versions`: the body is a `.krt` file. 201 for a new version, 200 for one that is there
 * with the same contents, 409 `VERSION_EXISTS` for other contents, 422 with all issues for an invalid bundle.
 *
 * Nothing of the body is read before the caller, the runtime and the announced size are checked.
 */
export function createUploadRoute(
  deps: FeatureDeps & { uploadSlots: Slots; uploadIdleMs?: number },
): Route {
  return {
    method: 'PUT',
    path: '/api/v1/runtimes/:id/versions',
    access: 'signed-in',
    async handle(exchange) {
      const { req, res, url, params, principal, requestId, signal } = exchange
      const runtimeId = params['id'] ?? ''
      authorize(principal, 'edit versions', runtimeId)
      const comment = url.searchParams.get('comment')?.trim() ?? ''
      assertCommentLength(comment)
      await requireRuntime(deps, runtimeId)
      if (mediaType(req.headers).startsWith('multipart/')) throw multipart()
      if (Number(req.headers['content-length'] ?? 0) > UPLOAD_BYTES_MAX) throw tooLarge()

      const release = await deps.uploadSlots(signal)
      try {
        const result = await receive(deps, exchange, { principal, runtimeId })
        if (!result.ok) {
          sendJson(res, 422, invalidBundle(result, requestId))
          return
        }
        const { created, version, issues } = result
        noteDone({
          versionId: version.id,
          after: {
            created,
            versionId: version.id,
            versionName: version.name,
            digest: version.bundleDigest,
          },
        })
        if (created)
          deps.logger.info(
            { requestId, runtimeId, version: version.name, by: principal.email, comment },
            'version created',
          )
        const state = versionState(version, await readRuntimeState(deps, runtimeId))
        sendJson(res, created ? 201 : 200, { version: toGraphqlVersion(state), issues })
      } finally {
        release()
      }
    },
  }
}

/** Feeds the body to the validator. What stopped the body counts more than what the validator made of the rest. */
async function receive(
  deps: FeatureDeps & { uploadIdleMs?: number },
  { req, signal, sendContinue }: Exchange,
  target: Pick<CreateVersion, 'principal' | 'runtimeId'>,
): Promise<CreateVersionResult> {
  const body: { stopped: KreError | null } = { stopped: null }
  const answered = new AbortController()
  async function* watched(): AsyncGenerator<Buffer, void> {
    const chunks = bodyChunks(req, {
      bytesMax: UPLOAD_BYTES_MAX,
      idleMs: deps.uploadIdleMs ?? UPLOAD_IDLE_MS,
      tooLarge,
      signal: AbortSignal.any([signal, answered.signal]),
    })
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        body.stopped = toKreError(error)
        throw error
      })
      if (next.done === true) return
      // A reader that has seen enough ends this here, by a throw of its own: that is no failure of the body.
      yield next.value
    }
  }
  sendContinue()
  const stream = Readable.from(watched(), { objectMode: false })
  // Whoever reads it hears of a failure; it must not end the process when the reader has turned away already.
  stream.on('error', () => undefined)
  try {
    const result = await createVersion(deps, { ...target, stream, signal })
    if (body.stopped !== null && !result.ok) throw body.stopped
    return result
  } catch (error) {
    throw body.stopped ?? error
  } finally {
    answered.abort()
    stream.destroy()
  }
}

function invalidBundle({ issues }: Extract<CreateVersionResult, { ok: false }>, requestId: string) {
  const errors = issues.filter((issue) => issue.level === 'error').length
  const message = `the bundle has ${errors} ${errors === 1 ? 'error' : 'errors'}: no version was created`
  return { code: 'krt_validation_error', message, requestId, issues }
}

function tooLarge(): HttpProblem {
  return new HttpProblem(
    'resource-exhausted',
    { status: 413, wireCode: 'ARCHIVE_TOO_LARGE' },
    `the bundle is too large: send at most ${UPLOAD_BYTES_MAX / MiB} MiB`,
  )
}

function multipart(): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 415, wireCode: 'unsupported_media_type' },
    'send the .krt file itself as the body, not a form (curl --upload-file)',
  )
}
