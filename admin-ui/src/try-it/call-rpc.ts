/** Calls an rpc by the admin API and tells what comes, line by line. */
import { ApiError } from '../api/api-error.ts'
import { send } from '../api/send.ts'
import type { Json } from './json.ts'

export type CallStatus = {
  readonly code: number
  readonly name: string
  readonly message: string
  readonly details: readonly Json[]
}
export type CallEvent =
  | { readonly type: 'message'; readonly message: Json; readonly elapsedMs: number }
  | {
      readonly type: 'end'
      readonly status: CallStatus
      readonly requestId: string
      readonly elapsedMs: number
    }

export type RpcCall = {
  readonly runtimeId: string
  readonly versionName: string
  readonly rpc: string
  /** JSON of the request. */
  readonly json: string
  readonly timeoutMs: number
  readonly metadata: readonly (readonly [name: string, value: string])[]
  readonly signal: AbortSignal
}

/** @throws ApiError when the engine refuses; an abort as it is. */
export async function* callRpc(call: RpcCall): AsyncGenerator<CallEvent, void, void> {
  const part = encodeURIComponent
  const path = `api/v1/runtimes/${part(call.runtimeId)}/versions/${part(call.versionName)}/call/${part(call.rpc)}`
  const response = await send(path, {
    method: 'POST',
    headers: [
      ['content-type', 'application/json'],
      ['x-timeout-ms', String(call.timeoutMs)],
      ...call.metadata.map(([name, value]): [string, string] => [name, value]),
    ],
    body: call.json,
    signal: call.signal,
  })
  if (response.body === null) throw new ApiError('INTERNAL', 'the answer is empty')
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const lines = (rest + read.value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield JSON.parse(line) as CallEvent
  }
}
