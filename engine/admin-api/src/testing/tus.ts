import { createHash } from 'node:crypto'
import { request, type ClientRequest } from 'node:http'
import type { Answer, TestApi } from './start-test-api.ts'

/** Speaks tus 1.0 by hand, so that tests can also get it wrong. */
export function tusOf(api: TestApi, headers: Record<string, string> = api.asOwner) {
  const tus = { ...headers, 'tus-resumable': '1.0.0' }
  const partHeaders = (offset: number) => ({
    ...tus,
    'content-type': 'application/offset+octet-stream',
    'upload-offset': String(offset),
  })
  return {
    create: (bytes: number, extra: Record<string, string> = {}, runtimeId = 'demo') =>
      api.send(`/api/v1/runtimes/${runtimeId}/uploads`, {
        method: 'POST',
        headers: { ...tus, 'upload-length': String(bytes), ...extra },
      }),
    part: (path: string, offset: number, body: string, extra: Record<string, string> = {}) =>
      api.send(path, { method: 'PATCH', headers: { ...partHeaders(offset), ...extra }, body }),
    /** As clients send it whose proxy knows POST alone. */
    posted: (method: string, path: string, extra: Record<string, string> = {}, body = '') =>
      api.send(path, {
        method: 'POST',
        headers: { ...tus, 'x-http-method-override': method, ...extra },
        body,
      }),
    /** A part whose connection the test holds. */
    openPart(path: string, offset: number): ClientRequest {
      const options = { method: 'PATCH', headers: partHeaders(offset) }
      const req = request(new URL(path, api.url), options)
      // Cutting it is what it is for.
      req.on('error', () => undefined)
      return req
    },
    async offset(path: string): Promise<number> {
      const { status, headers: answered } = await api.send(path, { method: 'HEAD', headers: tus })
      return status === 200 ? Number(answered['upload-offset']) : -status
    },
    remove: (path: string) => api.send(path, { method: 'DELETE', headers: tus }),
    finish(path: string): Promise<Answer> {
      const id = path.split('/').at(-1) ?? ''
      const runtimeId = path.split('/')[4] ?? ''
      const to = `/api/v1/runtimes/${runtimeId}/versions?upload=${id}`
      return api.send(to, { method: 'PUT', headers })
    },
  }
}

export function sha256Metadata(text: string): Record<string, string> {
  const hex = createHash('sha256').update(text).digest('hex')
  return { 'upload-metadata': `sha256 ${Buffer.from(hex).toString('base64')}` }
}
