import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { KreError, MiB, SECOND_MS } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import type { Route } from '../http/exchange.ts'
import { readBody } from '../http/read-body.ts'
import { mediaType } from '../http/request-origin.ts'
import { HttpProblem } from '../http/http-problem.ts'
import { STALLED_MS } from '../http/relay-stream.ts'
import { authorize, isAllowed, type Principal } from '../principal.ts'
import { quoted } from '../text.ts'
import { readRuntimeState, requireVersion, versionState } from '../versions/version-state.ts'
import { callHeaders, callTimeoutMs } from './call-headers.ts'
import { createCallSlots } from './call-slots.ts'
import type { CallEvent } from './call-events.ts'
import { forwardCall } from './forward-call.ts'

/** Of a request's JSON: what somebody types, or a file of some megabytes in it. */
const REQUEST_BYTES_MAX = 8 * MiB
/** A login that ended ends its calls within this. */
const LOOK_MS = 5 * SECOND_MS

type CallRouteDeps = Pick<
  FeatureDeps,
  'runtimes' | 'versions' | 'releases' | 'placements' | 'logger' | 'currentPrincipal'
>

/**
 * `POST …/versions/{name}/call/{rpc}`: calls an rpc of a version that runs. The body is the request in its JSON form;
 * the answer is a line of JSON for each message, and one for how it ended (`CallEvent`). Who goes away cancels it.
 *
 * `x-timeout-ms`, `x-krt-…`, `traceparent` are as at the entrypoint (docs/doors.md).
 */
export function createCallRoute(deps: CallRouteDeps): Route {
  const takeSlot = createCallSlots()
  return {
    method: 'POST',
    path: '/api/v1/runtimes/:id/versions/:name/call/:rpc',
    access: 'signed-in',
    async handle({ req, res, params, principal, requestId, signal, sendContinue }) {
      const runtimeId = params['id'] ?? ''
      const versionName = params['name'] ?? ''
      const target = await findTarget(deps, principal, {
        runtimeId,
        versionName,
        rpc: params['rpc'] ?? '',
      })
      if (mediaType(req.headers) !== 'application/json') throw notJson()
      const timeoutMs = callTimeoutMs(req.headers)
      const headers = callHeaders(req.headers)
      const release = takeSlot(principal.email)
      const watch = watchRights(deps, principal, runtimeId)
      try {
        sendContinue()
        const body = await readBody(req, signal, REQUEST_BYTES_MAX)
        deps.logger.info(
          { requestId, runtimeId, version: versionName, rpc: target.rpc, by: principal.email },
          'workflow called by the API',
        )
        const over = AbortSignal.any([signal, watch.lost])
        const call = { ...target, body, headers, requestId, timeoutMs, signal: over }
        await sendEvents(res, forwardCall(call), over)
      } finally {
        watch.end()
        release()
      }
    },
  }
}

/** @throws KreError `not-found`, `failed-precondition` while nothing listens. */
async function findTarget(
  deps: CallRouteDeps,
  principal: Principal,
  { runtimeId, versionName, rpc }: { runtimeId: string; versionName: string; rpc: string },
): Promise<{ address: string; path: string; rpc: string }> {
  authorize(principal, 'call workflows', runtimeId)
  const version = await requireVersion(deps, runtimeId, versionName)
  const method = version.facts.methods.find((one) => one.rpc === rpc)
  if (method === undefined)
    throw new KreError(
      'not-found',
      `version ${quoted(versionName)} has no rpc ${quoted(rpc)}; there are: ${version.facts.methods.map((one) => one.rpc).join(', ')}`,
    )
  const { derived } = versionState(version, await readRuntimeState(deps, runtimeId))
  if (derived.address === '')
    throw new KreError(
      'failed-precondition',
      `version ${quoted(versionName)} is ${derived.status} and has no address: start it (krectl version start -r ${runtimeId} ${versionName})`,
      { reason: 'VERSION_NOT_STARTED' },
    )
  return { address: derived.address, path: method.path, rpc }
}

/** Passes events on, no faster than the client takes them; who takes nothing for long is cut. */
async function sendEvents(
  res: ServerResponse,
  events: AsyncIterable<CallEvent>,
  signal: AbortSignal,
): Promise<void> {
  // Never a page, whatever a workflow answers: JSON that browsers do not guess about (nosniff).
  // A proxy in front is to pass each line on at once.
  const type = 'application/x-ndjson; charset=utf-8'
  res.writeHead(200, { 'Content-Type': type, 'X-Accel-Buffering': 'no' })
  res.flushHeaders()
  for await (const event of events) {
    if (signal.aborted) break
    if (res.write(`${JSON.stringify(event)}\n`)) continue
    const waiting = AbortSignal.any([signal, AbortSignal.timeout(STALLED_MS)])
    const isDrained = await once(res, 'drain', { signal: waiting }).then(
      () => true,
      () => false,
    )
    if (!isDrained) break
  }
  // What waits for a client that takes nothing would wait for ever.
  if (res.writableNeedDrain) res.destroy()
  else res.end()
}

/** Looks every now and then whether the caller may still do this. */
function watchRights(
  { currentPrincipal, logger }: Pick<CallRouteDeps, 'currentPrincipal' | 'logger'>,
  principal: Principal,
  runtimeId: string,
): { lost: AbortSignal; end: () => void } {
  const lost = new AbortController()
  const look = async () => {
    const now = await currentPrincipal(principal)
    if (now === null || !isAllowed(now, 'call workflows', runtimeId)) lost.abort()
  }
  const timer = setInterval(() => {
    look().catch((error: unknown) => logger.warn({ err: error }, 'rights of a caller not read'))
  }, LOOK_MS).unref()
  return { lost: lost.signal, end: () => clearInterval(timer) }
}

function notJson(): HttpProblem {
  return new HttpProblem(
    'invalid-argument',
    { status: 415, wireCode: 'unsupported_media_type' },
    'send the request in its JSON form as application/json',
  )
}
