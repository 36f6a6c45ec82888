/** Serves `generate` and `generate_stream`: one JSON object, or server-sent events of them. */
import type { Failure } from '../../grpc/failure.ts'
import type { RequestHeaders } from '../../http2/request-headers.ts'
import type { HttpCall } from '../http-call.ts'
import { requestIdFields } from '../http-status.ts'
import { JSON_TYPE } from '../status-json.ts'
import { type Asker, infer } from './inference.ts'
import type { Model } from './model.ts'
import type { OipDeps } from './oip-service.ts'
import { emptyGenerated, readGenerate, writeGenerated } from './rest-generate.ts'
import type { Tensor } from './tensor.ts'

const EVENTS_TYPE = 'text/event-stream; charset=utf-8'

/**
 * @param name of the model, as it was asked for.
 * @throws KreError for what is wrong with the request.
 */
export function generate(
  deps: OipDeps,
  call: HttpCall,
  name: string,
  model: Model,
  body: Uint8Array,
  headers: RequestHeaders,
  isStream: boolean,
): void {
  const inference = readGenerate(body, model)
  const { id } = inference
  const head = {
    ...(id === '' ? {} : { id }),
    model_name: name,
    model_version: model.method.served.version.ref.version,
  }
  const asker = isStream ? streamAsker(call, model, head) : singleAsker(call, model, head)
  call.onGone = () => asker.onGone?.()
  infer(deps, model, inference, headers, asker)
}

type Head = Readonly<Record<string, string>>

function singleAsker(call: HttpCall, model: Model, head: Head): Asker {
  return {
    onGone: null,
    fail: (failure, requestId) => call.fail(failure, requestId),
    answer(tensors, requestId) {
      const json = JSON.stringify({ ...head, ...writeGenerated(model, tensors) })
      const fields = [['content-type', JSON_TYPE] as const, ...requestIdFields(requestId)]
      call.reply(200, fields, Buffer.from(json))
    },
  }
}

function streamAsker(call: HttpCall, model: Model, head: Head): Asker {
  let isOpen = false
  const send = (json: object, requestId: string) => {
    if (!isOpen)
      call.begin(200, [
        ['content-type', EVENTS_TYPE],
        ['cache-control', 'no-store'],
        ...requestIdFields(requestId),
      ])
    isOpen = true
    return call.write(Buffer.from(`data: ${JSON.stringify(json)}\n\n`))
  }
  /** An output of the model may be called `done`, too. */
  const part = (tensors: readonly Tensor[], done: boolean) => ({
    ...head,
    done,
    ...writeGenerated(model, tensors),
  })
  const parts: NonNullable<Asker['parts']> = {
    onRoom: null,
    write: (tensors, requestId) => send(part(tensors, false), requestId),
    end(requestId) {
      send({ ...head, ...emptyGenerated(model), done: true }, requestId)
      call.end()
    },
  }
  call.onDrain = () => parts.onRoom?.()
  return {
    onGone: null,
    parts,
    answer(tensors, requestId) {
      send(part(tensors, true), requestId)
      call.end()
    },
    fail(failure: Failure, requestId) {
      // The HTTP status is sent already, so that the failure is the last event.
      if (!isOpen) return call.fail(failure, requestId)
      send({ error: failure.message.toWellFormed() }, requestId)
      call.end()
    },
  }
}
