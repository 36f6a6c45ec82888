import { KiB } from '@kre/contracts'
import { HttpProblem } from '../http/http-problem.ts'

/** A part is read to its end, or nothing that follows it. */
export type Part = { readonly name: string; readonly chunks: AsyncIterable<Buffer> }

const PART_HEADERS_BYTES_MAX = 8 * KiB
/** RFC 2046: what a boundary may be made of. */
const BOUNDARY = /;\s*boundary=(?:"([\w'()+,./:=? -]{1,70})"|([\w'()+,./:=?-]{1,70}))\s*(?:;|$)/i

/**
 * The parts of a `multipart/form-data` body, one after the other, as the bytes come in.
 *
 * @throws HttpProblem 400 where it is no such body, and what `chunks` throws.
 */
export async function* readParts(
  contentType: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Part, void> {
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined) throw broken('its type names no boundary')
  const source = chunks[Symbol.asyncIterator]()
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  // The first delimiter has no line before it.
  let held: Buffer = Buffer.from('\r\n')

  async function more(): Promise<void> {
    const next = await source.next()
    if (next.done === true) throw broken('it ends in the middle')
    held = Buffer.concat([held, next.value])
  }
  async function take(bytes: number): Promise<Buffer> {
    while (held.length < bytes) await more()
    const taken = held.subarray(0, bytes)
    held = held.subarray(bytes)
    return taken
  }
  async function takeHeaders(): Promise<string> {
    for (;;) {
      const end = held.indexOf('\r\n\r\n')
      if (end >= 0 && end <= PART_HEADERS_BYTES_MAX) return (await take(end + 4)).toString('utf8')
      if (held.length > PART_HEADERS_BYTES_MAX) throw broken('a part has too many headers')
      await more()
    }
  }
  async function* body(): AsyncGenerator<Buffer, void> {
    for (;;) {
      const end = held.indexOf(delimiter)
      // What may be the begin of a delimiter is kept until more is there.
      const sure = end >= 0 ? end : Math.max(0, held.length - delimiter.length + 1)
      if (sure > 0) yield await take(sure)
      if (end >= 0) return
      await more()
    }
  }

  try {
    if (!(await take(delimiter.length)).equals(delimiter))
      throw broken('it begins with no boundary')
    for (;;) {
      const after = (await take(2)).toString('latin1')
      if (after === '--') return
      if (after !== '\r\n') throw broken('a boundary is not alone on its line')
      const name = /^content-disposition: *form-data;.*?\bname="([^"\r\n]{0,100})"/im.exec(
        await takeHeaders(),
      )?.[1]
      if (name === undefined) throw broken('a part has no name')
      const chunksOfPart = body()
      yield { name, chunks: chunksOfPart }
      for await (const rest of chunksOfPart)
        if (rest.length > 0) throw broken(`the part "${name}" is longer than it may be`)
      await take(delimiter.length)
    }
  } finally {
    await source.return?.()
  }
}

function broken(why: string): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 400, wireCode: 'validation_error' },
    `the body is no form of a GraphQL upload: ${why}`,
  )
}
