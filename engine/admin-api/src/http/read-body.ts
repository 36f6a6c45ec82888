import type { IncomingMessage } from 'node:http'
import { KiB, SECOND_MS } from '@kre/contracts'
import { bodyChunks } from './body-chunks.ts'
import { HttpProblem } from './http-problem.ts'

/** Bodies other than uploads are operations typed by people or programs, never data. */
export const BODY_BYTES_MAX = 256 * KiB
const BODY_IDLE_MS = 10 * SECOND_MS

/** @throws HttpProblem 413 above `bytesMax`, 408 when the client falls silent. */
export async function readBody(
  req: IncomingMessage,
  signal: AbortSignal,
  bytesMax = BODY_BYTES_MAX,
): Promise<Buffer> {
  const limits = { bytesMax, idleMs: BODY_IDLE_MS, tooLarge: () => tooLarge(bytesMax), signal }
  const chunks: Buffer[] = []
  for await (const chunk of bodyChunks(req, limits)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function tooLarge(bytesMax: number): HttpProblem {
  return new HttpProblem(
    'resource-exhausted',
    { status: 413, wireCode: 'too_large' },
    `the body is too large: send at most ${bytesMax / KiB} KiB`,
  )
}
