/** Requests that are kept as examples: every failure, the slowest of a short while, and now and then any other. */
import {
  controlSubject,
  SECOND_MS,
  statusName,
  type KeptReason,
  type KeptRequests,
} from '@kre/contracts/runtime'
import { wallClockMs } from '@kre/service-kit/runner'
import type { Failure } from '../grpc/failure.ts'
import type { PendingRequest } from '../requests/pending-request.ts'
import type { ServedWorkflow } from '../versions/served-version.ts'

/** Examples are said so often: before nodes forget the messages of a busy moment. */
const WINDOW_MS = SECOND_MS / 4
/** Of one workflow and window. A workflow that fails all the time is no news after so many. */
const FAILED_MAX = 20
const SLOWEST_MAX = 3
/** Slow is what takes so many times the usual. */
const SLOW_FACTOR = 2
/** Weight of one request in what is usual: about the last twenty count. */
const USUAL_WEIGHT = 0.05
const MESSAGE_CHARS_MAX = 1_000
/** So often the messages of an example may be sampled: who looks at them wants some, not many. */
const SAMPLED_EVERY_MS = SECOND_MS
/** Workflows with examples at once: more means that many versions come and go. */
const WORKFLOWS_MAX = 200

type Example = KeptRequests['requests'][number]
type Window = {
  readonly subject: string
  usualMs: number
  failed: Example[]
  slowest: Example[]
  /** A request that took less is none of the slowest. */
  floorMs: number
  /** When an example was marked as sampled, on the clock of `performance.now()`. */
  sampledAt: number
}

export type RequestExamples = {
  ended(request: PendingRequest, elapsedMs: number, failure: Failure | null): void
  /** Says what is left and ends. */
  stop(): void
}

/** @param publish may throw while the broker is away: examples are not worth waiting. */
export function createRequestExamples(
  publish: (subject: string, data: Uint8Array) => void,
): RequestExamples {
  const windows = new Map<ServedWorkflow, Window>()
  let timer: NodeJS.Timeout | undefined

  const open = ({ method, workflow }: PendingRequest, elapsedMs: number): Window => {
    if (windows.size >= WORKFLOWS_MAX) windows.clear()
    const window: Window = {
      subject: controlSubject(method.version.ref, 'kept'),
      usualMs: elapsedMs,
      failed: [],
      slowest: [],
      floorMs: 0,
      sampledAt: -Infinity,
    }
    windows.set(workflow, window)
    return window
  }
  const say = () => {
    timer = undefined
    for (const window of windows.values()) {
      const requests = [...window.failed, ...window.slowest]
      window.failed = []
      window.slowest = []
      window.floorMs = 0
      const [first] = requests
      if (first === undefined) continue
      const now = performance.now()
      if (now - window.sampledAt >= SAMPLED_EVERY_MS) {
        // One choice for all nodes, so that they tell of the same request; a failure where there is one.
        first.sampled = true
        window.sampledAt = now
      }
      try {
        publish(window.subject, Buffer.from(JSON.stringify({ requests } satisfies KeptRequests)))
      } catch {
        // The broker is away: there will be other examples.
      }
    }
  }

  return {
    ended(request, elapsedMs, failure) {
      const window = windows.get(request.workflow) ?? open(request, elapsedMs)
      if (failure !== null) {
        if (window.failed.length >= FAILED_MAX) return
        window.failed.push(exampleOf(request, elapsedMs, failure, 'failed'))
      } else {
        window.usualMs += (elapsedMs - window.usualMs) * USUAL_WEIGHT
        if (elapsedMs <= window.floorMs) return
        // Of a stream the caller decides how long it takes: it is an example, and not slow.
        const isSlow = request.stream === null && elapsedMs > window.usualMs * SLOW_FACTOR
        addSlow(window, exampleOf(request, elapsedMs, null, isSlow ? 'slow' : 'sample'))
      }
      timer ??= setTimeout(say, WINDOW_MS).unref()
    },
    stop() {
      clearTimeout(timer)
      say()
    },
  }
}

/** Of the slowest, the fastest makes room. */
function addSlow(window: Window, example: Example): void {
  window.slowest.push(example)
  if (window.slowest.length < SLOWEST_MAX) return
  window.slowest.sort((a, b) => b.elapsedMs - a.elapsedMs)
  window.slowest.length = SLOWEST_MAX
  window.floorMs = window.slowest.at(-1)?.elapsedMs ?? 0
}

function exampleOf(
  request: PendingRequest,
  elapsedMs: number,
  failure: Failure | null,
  kept: KeptReason,
): Example {
  return {
    id: request.requestId,
    workflow: request.workflow.id,
    kept,
    startedUnixMs: wallClockMs(request.startedAt),
    elapsedMs,
    handlerMs: request.handlerUs / 1_000,
    status: statusName(failure?.status ?? 0),
    message: failure?.message.slice(0, MESSAGE_CHARS_MAX) ?? '',
    attempts: request.attempt,
    requestBytes: request.message.length,
  }
}
