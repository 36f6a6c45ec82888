import type { IncomingMessage } from 'node:http'
import { SECOND_MS } from '@kre/contracts'
import { HttpProblem } from './http-problem.ts'

/**
 * The chunks of a request's body, read no faster than they are taken.
 *
 * @param idleMs how long the client may be silent while it is listened to.
 * @param tooLarge makes the refusal of a body above `bytesMax`, said in advance or not.
 * @throws HttpProblem 408, or what `tooLarge` makes. The request stays open for the answer.
 */
export async function* bodyChunks(
  req: IncomingMessage,
  limits: { bytesMax: number; idleMs: number; tooLarge: () => Error },
): AsyncGenerator<Buffer, void> {
  if (Number(req.headers['content-length'] ?? 0) > limits.bytesMax) throw limits.tooLarge()
  const chunks = req.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  let bytes = 0
  let finished = false
  try {
    for (;;) {
      const next = await beforeSilence(chunks.next(), limits.idleMs)
      finished = next.done === true
      if (next.done === true) return
      bytes += next.value.length
      if (bytes > limits.bytesMax) throw limits.tooLarge()
      yield next.value
    }
  } finally {
    // Not awaited: after silence it would wait for the client's next byte. What the connection does later is
    // heard of by whoever answers the request.
    if (!finished) chunks.return?.().catch(() => undefined)
  }
}

async function beforeSilence<T>(next: Promise<T>, idleMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(silent(idleMs)), idleMs)
  })
  try {
    return await Promise.race([next, silence])
  } finally {
    clearTimeout(timer)
  }
}

function silent(idleMs: number): HttpProblem {
  return new HttpProblem(
    'deadline-exceeded',
    { status: 408, wireCode: 'timeout' },
    `no byte of the body arrived for ${idleMs / SECOND_MS} s: send it again`,
  )
}
