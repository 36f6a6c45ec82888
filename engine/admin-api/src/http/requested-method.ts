import type { IncomingMessage } from 'node:http'

/** Uploads in parts: tus is for clients behind proxies, too, that let GET and POST through alone. */
const PART_OF_UPLOAD = /^\/api\/v1\/runtimes\/[^/]+\/uploads\/[^/]+$/

/**
 * The method that the client means. tus names it in a header where the way to the engine knows POST only; anywhere else
 * no header changes what a request does.
 */
export function requestedMethod({ method = '', headers }: IncomingMessage, path: string): string {
  const override = headers['x-http-method-override']
  return method === 'POST' && typeof override === 'string' && PART_OF_UPLOAD.test(path)
    ? override
    : method
}
