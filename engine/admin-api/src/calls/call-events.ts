/** What a caller is told of a call, one JSON document a line (application/x-ndjson). */
import { GRPC_STATUS, statusName, type ErrorCode } from '@kre/contracts'

export type CallStatus = {
  /** Number of the gRPC status. */
  readonly code: number
  readonly name: string
  readonly message: string
  /** As google.rpc.Status has them. */
  readonly details: readonly unknown[]
}
export type CallEvent =
  | {
      readonly type: 'message'
      readonly message: unknown
      /** Since the call began, by the clock of the engine. */
      readonly elapsedMs: number
    }
  | {
      readonly type: 'end'
      readonly status: CallStatus
      /** As in logs and kept requests. */
      readonly requestId: string
      readonly elapsedMs: number
    }

export const CALL_OK: CallStatus = { code: 0, name: 'OK', message: '', details: [] }

/** A status that the engine gives, because the entrypoint did not. */
export function callFailure(code: ErrorCode, message: string): CallStatus {
  return toCallStatus({ code: GRPC_STATUS[code], message })
}

/** google.rpc.Status in its JSON form, as the entrypoint's JSON door has it; what is none is UNKNOWN. */
export function toCallStatus(status: unknown): CallStatus {
  const { code, message, details } = (
    typeof status === 'object' && status !== null ? status : {}
  ) as {
    code?: unknown
    message?: unknown
    details?: unknown
  }
  const number = typeof code === 'number' ? code : 2
  return {
    code: number,
    name: statusName(number),
    message: typeof message === 'string' ? message : 'the entrypoint did not say what failed',
    details: Array.isArray(details) ? (details as unknown[]) : [],
  }
}
