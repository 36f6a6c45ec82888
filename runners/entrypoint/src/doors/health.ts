/** grpc.health.v1.Health (grpc/doc/health-checking.md). */
import { ProtoReader, ProtoWriter } from '@kre/contracts/runtime'
import { createFailure } from '../grpc/failure.ts'
import { openServerStream, type ServerStream } from '../grpc/server-stream.ts'
import type { UnaryCall } from '../grpc/unary-call.ts'
import type { Caller } from '../requests/pending-request.ts'

export const HEALTH_SERVICE = 'grpc.health.v1.Health'
export const SERVING_STATUS = { serving: 1, notServing: 2, serviceUnknown: 3 } as const
export type ServingStatus = (typeof SERVING_STATUS)[keyof typeof SERVING_STATUS]

export type Health = {
  check(call: Caller, message: Uint8Array): void
  watch(call: UnaryCall, message: Uint8Array): void
  /** Tells the watchers what has changed since they were last told. */
  changed(): void
  /** Ends all watches. */
  stop(): void
}

type Watcher = { service: string; told: ServingStatus; out: ServerStream }

/** @param statusOf of a service's full name; the empty name asks for the whole process. */
export function createHealth(statusOf: (service: string) => ServingStatus): Health {
  const watchers = new Set<Watcher>()
  return {
    check(call, message) {
      const service = readService(call, message)
      if (service === null) return
      const status = statusOf(service)
      if (status === SERVING_STATUS.serviceUnknown) call.fail(unknownService(service), '')
      else call.answer(encodeStatus(status), '')
    },
    watch(call, message) {
      const service = readService(call, message)
      if (service === null) return
      const watcher = { service, told: statusOf(service), out: openServerStream(call.stream) }
      watchers.add(watcher)
      call.onGone = () => void watchers.delete(watcher)
      watcher.out.write(encodeStatus(watcher.told))
    },
    changed() {
      for (const watcher of watchers) {
        const status = statusOf(watcher.service)
        if (status === watcher.told) continue
        watcher.told = status
        watcher.out.write(encodeStatus(status))
      }
    },
    stop() {
      for (const { out } of watchers)
        out.end(createFailure('unavailable', 'STOPPING', 'the entrypoint is stopping'))
      watchers.clear()
    },
  }
}

/** HealthCheckRequest.service; null after the call was failed. */
function readService(call: Caller, message: Uint8Array): string | null {
  try {
    let service = ''
    const reader = new ProtoReader(message)
    while (reader.next()) {
      if (reader.field === 1) service = reader.string()
      else reader.skip()
    }
    return service
  } catch {
    const text = 'the message is not a grpc.health.v1.HealthCheckRequest'
    call.fail(createFailure('invalid-argument', 'BAD_MESSAGE', text), '')
    return null
  }
}

function encodeStatus(status: ServingStatus): Uint8Array {
  const writer = new ProtoWriter(8)
  writer.uint(1, status)
  return writer.finish()
}

function unknownService(service: string) {
  return createFailure('not-found', 'UNKNOWN_SERVICE', `service "${service}" is not served here`)
}
