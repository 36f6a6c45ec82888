import { request, type IncomingMessage } from 'node:http'
import { MiB } from '@kre/contracts'
import {
  CALL_OK,
  callFailure,
  toCallStatus,
  type CallEvent,
  type CallStatus,
} from './call-events.ts'

/** Of all messages of an answer: more is nothing to read on a page. */
export const ANSWER_BYTES_MAX = 16 * MiB
/** The entrypoint ends a call at its deadline; this is for one that does not answer any more. */
const GRACE_MS = 5_000

export type ForwardedCall = {
  /** `host:port` of the version's entrypoint. */
  readonly address: string
  /** `/<package>.Entrypoint/<rpc>` */
  readonly path: string
  /** JSON of the request. */
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  readonly requestId: string
  readonly timeoutMs: number
  /** The caller has gone. */
  readonly signal: AbortSignal
}

/**
 * Calls an rpc by the entrypoint's JSON door (docs/doors.md) and tells what comes, with the status last. It never
 * throws: what fails is a status. Who stops reading cancels the call.
 */
export async function* forwardCall(call: ForwardedCall): AsyncGenerator<CallEvent, void, void> {
  const beganAt = performance.now()
  const elapsedMs = () => Math.round((performance.now() - beganAt) * 100) / 100
  const over = AbortSignal.any([call.signal, AbortSignal.timeout(call.timeoutMs + GRACE_MS)])
  let status: CallStatus
  let answer: IncomingMessage | null = null
  try {
    answer = await ask(call, over)
    if (answer.statusCode === 200) {
      status = CALL_OK
      for await (const { isError, json } of partsOf(answer)) {
        const value: unknown = JSON.parse(json)
        if (isError) status = toCallStatus(value)
        else yield { type: 'message', message: value, elapsedMs: elapsedMs() }
      }
    } else status = toCallStatus(JSON.parse(await textOf(answer)))
  } catch (error) {
    status = whatFailed(error, call)
  } finally {
    answer?.destroy()
  }
  yield { type: 'end', status, requestId: call.requestId, elapsedMs: elapsedMs() }
}

/** @throws the system's error when nothing listens, an AbortError when it is over. */
function ask(call: ForwardedCall, signal: AbortSignal): Promise<IncomingMessage> {
  const url = new URL(`http://${call.address}`)
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        path: call.path,
        method: 'POST',
        // A connection of its own: one that is closed tells the entrypoint that its caller has gone.
        agent: false,
        signal,
        headers: {
          ...call.headers,
          'content-type': 'application/json',
          // Of a stream, events: there a failure can't be taken for a message.
          accept: 'application/json, text/event-stream',
          'content-length': call.body.length,
          'x-timeout-ms': String(call.timeoutMs),
          'x-request-id': call.requestId,
        },
      },
      resolve,
    )
    asked.on('error', reject)
    asked.end(call.body)
  })
}

type Part = { readonly isError: boolean; readonly json: string }

/** Messages of an answer, and the failure that ended a stream, whose HTTP status was sent before. @throws TooLarge. */
async function* partsOf(answer: IncomingMessage): AsyncGenerator<Part, void, void> {
  if (!(answer.headers['content-type'] ?? '').startsWith('text/event-stream')) {
    yield { isError: false, json: await textOf(answer) }
    return
  }
  let isError = false
  for await (const line of linesOf(answer)) {
    if (line.startsWith('event:')) isError = line.slice(6).trim() === 'error'
    else if (line.startsWith('data:')) yield { isError, json: line.slice(5) }
    else if (line === '') isError = false
  }
}

async function* linesOf(answer: IncomingMessage): AsyncGenerator<string, void, void> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of bounded(answer)) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
      yield rest.toString('utf8', 0, end)
      rest = rest.subarray(end + 1)
    }
  }
  if (rest.length > 0) yield rest.toString('utf8')
}
const NEWLINE = 0x0a

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of bounded(answer)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

async function* bounded(answer: IncomingMessage): AsyncGenerator<Buffer, void, void> {
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new TooLarge()
    yield chunk
  }
}

class TooLarge extends Error {
  override name = 'TooLarge'
}

function whatFailed(error: unknown, { address, timeoutMs, signal }: ForwardedCall): CallStatus {
  if (signal.aborted) return callFailure('cancelled', 'the caller has gone')
  if (error instanceof TooLarge)
    return callFailure(
      'resource-exhausted',
      `the answer has more than ${ANSWER_BYTES_MAX / MiB} MiB: call it by krectl call`,
    )
  const name = error instanceof Error ? error.name : ''
  if (name === 'AbortError' || name === 'TimeoutError')
    return callFailure('deadline-exceeded', `no answer within ${timeoutMs} ms`)
  if (error instanceof SyntaxError)
    return callFailure('internal', 'the entrypoint answered with something that is no JSON')
  return callFailure('unavailable', `the entrypoint at ${address} can't be reached: try again`)
}
