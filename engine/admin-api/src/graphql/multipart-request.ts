import { KiB } from '@kre/contracts'
import { HttpProblem } from '../http/http-problem.ts'
import { readParts, type Part } from './multipart-body.ts'

/** The file of a request, for the one resolver that takes it. */
export type IncomingFile = {
  /** The bytes, once. @throws HttpProblem 400 when they were taken before. */
  take(): AsyncIterable<Buffer>
}
export type MultipartRequest = { readonly body: Buffer; readonly file: IncomingFile }

const OPERATIONS_BYTES_MAX = 256 * KiB
const MAP_BYTES_MAX = KiB
/** A path into the variables, of names only: `variables.input.file`. */
const VARIABLE_PATH = /^variables(?:\.[A-Za-z][A-Za-z0-9]{0,63}){1,8}$/

/**
 * Reads a GraphQL multipart request (jaydenseric's specification) up to its file: `operations`, `map`, and one file, in
 * this order. Of the file nothing is read before somebody takes it.
 *
 * @throws HttpProblem 400, 413.
 */
export async function readMultipartRequest(
  contentType: string,
  chunks: AsyncIterable<Buffer>,
): Promise<MultipartRequest> {
  const parts = readParts(contentType, chunks)
  const operations = parseJson(await readSmall(parts, 'operations', OPERATIONS_BYTES_MAX))
  if (!isObject(operations)) throw invalid('operations has to be one operation, not a list')
  const map = parseJson(await readSmall(parts, 'map', MAP_BYTES_MAX))
  const [[key, paths] = ['', []], ...others] = Object.entries(isObject(map) ? map : {})
  const path: unknown = Array.isArray(paths) && paths.length === 1 ? paths[0] : null
  if (others.length > 0 || typeof path !== 'string' || !VARIABLE_PATH.test(path))
    throw invalid('map has to name one file for one variable: {"0": ["variables.input.file"]}')
  putMark(operations, path.split('.'))
  const file = await nextPart(parts, key)
  let isTaken = false
  return {
    body: Buffer.from(JSON.stringify(operations)),
    file: {
      take() {
        if (isTaken) throw invalid('the file was taken already: one operation gets it')
        isTaken = true
        return toTheEnd(file, parts)
      },
    },
  }
}

/** Behind the file there is nothing, and nothing is missing. */
async function* toTheEnd(file: Part, parts: AsyncGenerator<Part>): AsyncGenerator<Buffer, void> {
  yield* file.chunks
  if ((await parts.next()).done !== true) throw invalid('there is more than one file')
}

async function nextPart(parts: AsyncGenerator<Part>, name: string): Promise<Part> {
  const next = await parts.next()
  if (next.done !== true && next.value.name === name) return next.value
  throw invalid(`the part "${name}" is missing, or not in its place`)
}

async function readSmall(
  parts: AsyncGenerator<Part>,
  name: string,
  bytesMax: number,
): Promise<string> {
  const { chunks } = await nextPart(parts, name)
  const read: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > bytesMax) throw invalid(`${name} has more than ${bytesMax / KiB} KiB`)
    read.push(Buffer.from(chunk))
  }
  return Buffer.concat(read).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid('operations and map have to be JSON')
  }
}

/** Puts something where the file belongs, so that the variable is there. */
function putMark(operations: Record<string, unknown>, path: readonly string[]): void {
  let place: Record<string, unknown> = operations
  for (const name of path.slice(0, -1)) {
    const inner = Object.hasOwn(place, name) ? place[name] : undefined
    if (!isObject(inner)) throw invalid(`operations has no ${path.join('.')}`)
    place = inner
  }
  place[path.at(-1) ?? ''] = true
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(why: string): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 400, wireCode: 'validation_error' },
    `the upload is refused: ${why}`,
  )
}
