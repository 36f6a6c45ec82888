/** An answer of several messages as JSON: a line each, or server-sent events for who accepts those. */
import type { Failure } from '../grpc/failure.ts'
import type { HttpCall } from './http-call.ts'
import { requestIdFields } from './http-status.ts'
import { statusJson } from './status-json.ts'

export type JsonStream = {
  isOpen(): boolean
  /** @param json text of one message. @returns false when the caller reads too slowly. */
  write(json: string, requestId: string): boolean
  end(requestId: string): void
  /** The HTTP status is sent already, so that the failure is the last message. */
  fail(failure: Failure, requestId: string): void
}

const LINES_TYPE = 'application/x-ndjson'
const EVENTS_TYPE = 'text/event-stream'

export function createJsonStream(call: HttpCall): JsonStream {
  const isEvents = call.headers.get('accept')?.includes(EVENTS_TYPE) ?? false
  let isOpen = false
  const open = (requestId: string) => {
    if (isOpen) return
    isOpen = true
    const type = isEvents ? EVENTS_TYPE : LINES_TYPE
    call.begin(200, [
      ['content-type', type],
      ['cache-control', 'no-store'],
      ...requestIdFields(requestId),
    ])
  }
  const send = (text: string) => call.write(Buffer.from(text))
  return {
    isOpen: () => isOpen,
    write(json, requestId) {
      open(requestId)
      return send(isEvents ? `data: ${json}\n\n` : `${json}\n`)
    },
    end(requestId) {
      open(requestId)
      call.end()
    },
    fail(failure, requestId) {
      const status = JSON.stringify(statusJson(failure, requestId))
      send(isEvents ? `event: error\ndata: ${status}\n\n` : `{"error":${status}}\n`)
      call.end()
    },
  }
}
