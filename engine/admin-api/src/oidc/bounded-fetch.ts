import { KreError, MiB } from '@kre/contracts'
import type { CustomFetchOptions } from 'openid-client'

/** Discovery documents, keys and tokens have a few KiB: more than this is a mistake or an attack. */
export const ANSWER_BYTES_MAX = MiB

/**
 * `fetch` for what the engine itself asks of a server that it does not know: the answer is read up to a bound, within
 * the time of `options.signal`.
 *
 * @throws KreError `unavailable` when the server can't be reached, is too slow, fails or says too much.
 */
export async function boundedFetch(url: string, options: CustomFetchOptions): Promise<Response> {
  // The library's type has bytes of shared memory, too, which it never sends.
  const { status, headers, body } = await fetch(url, options as RequestInit).catch(away)
  if (status >= 500 || status === 429) {
    await body?.cancel()
    throw new KreError('unavailable', `${nameOf(url)} answers with status ${status}`)
  }
  const bytes = body === null ? null : await readAll(url, body)
  // These allow no body, not even an empty one.
  return new Response([204, 205, 304].includes(status) ? null : bytes, { status, headers })
}

async function readAll(
  url: string,
  body: ReadableStream<Uint8Array>,
): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      size += chunk.length
      if (size > ANSWER_BYTES_MAX) break
      chunks.push(chunk)
    }
  } catch (error) {
    return away(error)
  }
  if (size <= ANSWER_BYTES_MAX) return Buffer.concat(chunks)
  throw new KreError(
    'unavailable',
    `${nameOf(url)} answers with more than ${ANSWER_BYTES_MAX} bytes`,
  )
}

function away(error: unknown): never {
  throw new KreError('unavailable', 'the server can’t be asked', {}, { cause: error })
}

/** Without a query: it may hold more than a log should. */
function nameOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}
