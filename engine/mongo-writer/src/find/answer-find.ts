import { FindRequest, KiB, KreError, type FindReply } from '@kre/contracts'
import type { OutputStore } from '@kre/store'

/** Documents in one answer. */
export const FIND_DOCUMENTS_MAX = 1_000
/** Bytes of one answer: below NATS' default of 1 MiB per message, with room for what carries it. */
export const FIND_REPLY_BYTES_MAX = 900 * KiB

export type FindAnswer = {
  /** A FindReply as JSON. */
  json: string
  /** A failure that isn't the caller's, to be logged; null otherwise. */
  failure: unknown
}

/** Answers one request for documents. Never throws: the caller gets every failure in words. */
export async function answerFind(
  outputs: Pick<OutputStore, 'findDocuments'>,
  runtimeId: string,
  data: Uint8Array,
): Promise<FindAnswer> {
  const request = parseRequest(data)
  if (request === null)
    return refuse('the request is not JSON of the form {"collection": "…", "query": {…}}')
  try {
    const documents = await outputs.findDocuments(
      runtimeId,
      request.collection,
      request.query,
      FIND_DOCUMENTS_MAX + 1,
    )
    if (documents.length > FIND_DOCUMENTS_MAX)
      return refuse(
        `more than ${FIND_DOCUMENTS_MAX} documents of "${request.collection}" match: add fields to the query`,
      )
    const json = JSON.stringify({ success: true, documents } satisfies FindReply)
    const bytes = Buffer.byteLength(json)
    if (bytes >= FIND_REPLY_BYTES_MAX)
      return refuse(
        `the ${documents.length} matching documents of "${request.collection}" have ${bytes} bytes, and an answer holds less than ${FIND_REPLY_BYTES_MAX}: add fields to the query`,
      )
    return { json, failure: null }
  } catch (error) {
    if (error instanceof KreError && error.code === 'invalid-argument') return refuse(error.message)
    return { ...refuse('the store can’t be read now: try again later'), failure: error }
  }
}

export function refuse(error: string): FindAnswer {
  return { json: JSON.stringify({ success: false, error } satisfies FindReply), failure: null }
}

function parseRequest(data: Uint8Array): FindRequest | null {
  try {
    const parsed = FindRequest.safeParse(JSON.parse(new TextDecoder().decode(data)))
    return parsed.success ? parsed.data : null
  } catch {
    // Not JSON is answered as not of the form.
    return null
  }
}
