import type { ServerResponse } from 'node:http'
import { KreError } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { bodyChunks } from '../http/body-chunks.ts'
import type { Exchange, Route } from '../http/exchange.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { mediaType } from '../http/request-origin.ts'
import { sendJson } from '../http/respond.ts'
import type { Principal } from '../principal.ts'
import type { ResumableUploads, UploadProgress, UploadRef } from '../uploads/resumable-uploads.ts'
import {
  readChecksum,
  readCount,
  readMetadata,
  requireTus,
  TUS_CHECKSUMS,
  TUS_EXTENSIONS,
  TUS_VERSION,
} from './tus-headers.ts'

const UPLOADS = '/api/v1/runtimes/:id/uploads'
const UPLOAD = `${UPLOADS}/:upload`
const PART_TYPE = 'application/offset+octet-stream'

type SignedIn = Exchange & { readonly principal: Principal }
type Deps = Pick<FeatureDeps, 'uploadLimits'> & { resumable: ResumableUploads }

/**
 * Uploads in parts by tus 1.0. The last part ends the upload; `PUT …/versions?upload={id}` makes a version of it then,
 * because only that has something to say that tus has no place for: the issues.
 */
export function createResumableUploadRoutes(deps: Deps): Route[] {
  const { resumable, uploadLimits } = deps
  const route = (
    method: Route['method'],
    path: string,
    handle: (exchange: SignedIn) => Promise<void>,
  ): Route => ({
    method,
    path,
    access: 'signed-in',
    async handle(exchange) {
      exchange.res.setHeader('Tus-Resumable', TUS_VERSION)
      if (method !== 'OPTIONS' && method !== 'GET') requireTus(exchange.req.headers)
      await handle(exchange)
    },
  })

  async function takePart(exchange: SignedIn, uploadId: string, offset: number): Promise<number> {
    const { req, signal, sendContinue } = exchange
    const checksum = readChecksum(req.headers)
    const { received } = await resumable.append({
      ...refOf(exchange, uploadId),
      offset,
      checksum,
      chunks(bytesMax, ended) {
        sendContinue()
        return bodyChunks(req, {
          bytesMax,
          idleMs: uploadLimits.idleMs,
          tooLarge: () => tooMuch(bytesMax),
          signal: AbortSignal.any([signal, ended]),
        })
      },
    })
    return received
  }

  return [
    route('OPTIONS', UPLOADS, async ({ res }) => {
      res.writeHead(204, {
        'Tus-Version': TUS_VERSION,
        'Tus-Extension': TUS_EXTENSIONS,
        'Tus-Max-Size': uploadLimits.bytesMax,
        'Tus-Checksum-Algorithm': TUS_CHECKSUMS.join(','),
      })
      res.end()
    }),

    route('POST', UPLOADS, async (exchange) => {
      const { req, res, params, principal } = exchange
      const runtimeId = params['id'] ?? ''
      const bytes = readCount(req.headers, 'upload-length')
      const { text: metadata, sha256 } = readMetadata(req.headers)
      const upload = await resumable.begin({ principal, runtimeId, bytes, sha256, metadata })
      const location = `/api/v1/runtimes/${encodeURIComponent(runtimeId)}/uploads/${upload.id}`
      res.setHeader('Location', location)
      const hasPart = mediaType(req.headers) === PART_TYPE
      const received = hasPart ? await takePart(exchange, upload.id, 0) : 0
      sendProgress(res, 201, { upload, received })
    }),

    route('GET', UPLOADS, async ({ res, params, principal }) => {
      const open = await resumable.list({ principal, runtimeId: params['id'] ?? '' })
      const uploads = open.map(({ upload: { id, bytes, sha256, expiresAt }, received }) => ({
        id,
        bytes,
        received,
        sha256,
        expiresAt,
      }))
      sendJson(res, 200, { uploads })
    }),

    route('HEAD', UPLOAD, async (exchange) => {
      const progress = await resumable.find(refOf(exchange))
      sendProgress(exchange.res, 200, progress)
    }),

    route('PATCH', UPLOAD, async (exchange) => {
      const { req, res } = exchange
      if (mediaType(req.headers) !== PART_TYPE) throw notAPart()
      const offset = readCount(req.headers, 'upload-offset')
      const before = await resumable.find(refOf(exchange))
      const received = await takePart(exchange, before.upload.id, offset).catch(asTusProblem)
      sendProgress(res, 204, { ...before, received })
    }),

    route('DELETE', UPLOAD, async (exchange) => {
      await resumable.drop(refOf(exchange))
      exchange.res.writeHead(204).end()
    }),
  ]
}

/** The rest of an upload is what its length leaves. */
function tooMuch(bytesMax: number): HttpProblem {
  return new HttpProblem(
    'resource-exhausted',
    { status: 413, wireCode: 'ARCHIVE_TOO_LARGE' },
    `the part is longer than what is missing of the upload: ${bytesMax} bytes`,
  )
}

function refOf({ principal, params }: SignedIn, uploadId = params['upload'] ?? ''): UploadRef {
  return { principal, runtimeId: params['id'] ?? '', uploadId }
}

function sendProgress(
  res: ServerResponse,
  status: number,
  { upload, received }: UploadProgress,
): void {
  res.writeHead(status, {
    'Upload-Offset': received,
    'Upload-Length': upload.bytes,
    'Upload-Expires': upload.expiresAt.toUTCString(),
    ...(upload.metadata === '' ? {} : { 'Upload-Metadata': upload.metadata }),
    ...(status === 201 ? { 'Content-Length': 0 } : {}),
  })
  res.end()
}

/** tus has a status of its own for a part that arrived damaged. */
function asTusProblem(error: unknown): never {
  if (error instanceof KreError && error.details['reason'] === 'CHECKSUM_MISMATCH')
    throw new HttpProblem(
      'invalid-argument',
      { status: 460, wireCode: 'CHECKSUM_MISMATCH' },
      error.message,
    )
  throw error
}

function notAPart(): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 415, wireCode: 'unsupported_media_type' },
    `send the part with the header Content-Type: ${PART_TYPE}`,
  )
}
