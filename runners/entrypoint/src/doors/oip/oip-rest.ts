/** The REST form of the Open Inference Protocol v2: `/v2/…`. */
import { KreError } from '@kre/contracts/runtime'
import { createFailure } from '../../grpc/failure.ts'
import { parseJson } from '../../json/parse-json.ts'
import type { HttpCall } from '../http-call.ts'
import { failureFields, httpStatusOf, requestIdFields } from '../http-status.ts'
import { JSON_FACTOR } from '../json-door.ts'
import { JSON_TYPE, type RenderFailure } from '../status-json.ts'
import { callerHeaders } from '../caller-headers.ts'
import { generate } from './generate.ts'
import { type Asker, infer, toFailure } from './inference.ts'
import { findModel, PLATFORM } from './model.ts'
import { describeConfig } from './model-config.ts'
import {
  describeModel,
  describeServer,
  isReady,
  isServerReady,
  modelStatistics,
  NO_LOADING,
  type OipDeps,
  repositoryIndex,
  versionInForce,
} from './oip-service.ts'
import { readRestInference } from './rest-request.ts'
import { writeRestAnswer } from './rest-response.ts'

/** What the protocol's clients expect of a failure. */
export const renderOipFailure: RenderFailure = (failure, requestId) => ({
  status: httpStatusOf(failure),
  fields: [['content-type', JSON_TYPE], ...failureFields(failure, requestId)],
  body: Buffer.from(JSON.stringify({ error: failure.message.toWellFormed() })),
})

type Handler = (call: HttpCall, model: string, version: string) => void
type Endpoint = { readonly method: 'GET' | 'POST'; readonly path: RegExp; readonly serve: Handler }

const MODEL = String.raw`/v2/models/([^/]+)(?:/versions/([^/]+))?`

/** @returns null when the path is none of the protocol's. */
export type OipRest = (path: string) => ((call: HttpCall) => void) | null

export function createOipRest(deps: OipDeps): OipRest {
  const endpoints = endpointsOf(deps)
  return (path) => {
    const found = endpoints
      .map((endpoint) => ({ endpoint, match: endpoint.path.exec(path) }))
      .filter(({ match }) => match !== null)
    if (found.length === 0) return null
    return (call) => {
      const { method } = call.headers
      const wanted = method === 'HEAD' ? 'GET' : method
      const chosen = found.find(({ endpoint }) => endpoint.method === wanted)
      if (chosen === undefined) return refuseMethod(call, found[0]?.endpoint.method ?? 'GET')
      const [, model = '', version = ''] = chosen.match ?? []
      guard(call, () =>
        chosen.endpoint.serve(call, decodeURIComponent(model), decodeURIComponent(version)),
      )
    }
  }
}

function endpointsOf(deps: OipDeps): Endpoint[] {
  const get = (path: string, serve: Handler): Endpoint => ({
    method: 'GET',
    path: new RegExp(`^${path}$`),
    serve: (call, ...model) => call.receive(0, () => guard(call, () => serve(call, ...model))),
  })
  const post = (path: string, serve: Handler): Endpoint => ({
    method: 'POST',
    path: new RegExp(`^${path}$`),
    serve,
  })
  return [
    get('/v2/?', (call) => reply(call, 200, describeServer(deps))),
    get('/v2/health/live', (call) => reply(call, 200, { live: true })),
    get('/v2/health/ready', (call) => {
      const ready = isServerReady(deps)
      reply(call, ready ? 200 : 503, { ready })
    }),
    // Before the model of this name, which can be asked for as `<runtime>.stats`.
    get('/v2/models/stats', (call) => replyStatistics(deps, call, '', '')),
    get(MODEL, (call, name, version) => {
      const { inputs, outputs, ...more } = describeModel(
        findModel(versionInForce(deps), name, version),
      )
      reply(call, 200, { name, ...more, platform: PLATFORM, inputs, outputs })
    }),
    get(`${MODEL}/ready`, (call, name, version) => {
      const ready = isReady(deps, findModel(versionInForce(deps), name, version))
      reply(call, ready ? 200 : 503, { name, ready })
    }),
    get(`${MODEL}/config`, (call, name, version) =>
      reply(call, 200, describeConfig(name, findModel(versionInForce(deps), name, version))),
    ),
    get(`${MODEL}/stats`, (call, name, version) => replyStatistics(deps, call, name, version)),
    post(`${MODEL}/generate`, (call, ...model) => receiveGenerate(deps, call, model, false)),
    post(`${MODEL}/generate_stream`, (call, ...model) => receiveGenerate(deps, call, model, true)),
    post(`${MODEL}/infer`, (call, name, version) => inferRest(deps, call, name, version)),
    post('/v2/repository/index', (call) =>
      call.receive(deps.payloadBytesMax, (body) =>
        guard(call, () => reply(call, 200, repositoryIndex(deps, isReadyOnly(body)))),
      ),
    ),
    post(String.raw`/v2/repository/models/([^/]+)/(?:un)?load`, () => {
      throw new KreError('unimplemented', NO_LOADING)
    }),
  ]
}

function inferRest(deps: OipDeps, call: HttpCall, name: string, wanted: string): void {
  const version = versionInForce(deps)
  const model = findModel(version, name, wanted)
  call.receive(deps.payloadBytesMax * JSON_FACTOR, (body) =>
    guard(call, () => {
      const jsonLength = call.headers.get('inference-header-content-length')
      const { inference, isBinary } = readRestInference(body, jsonLength)
      const headers = callerHeaders(call.headers)
      if ('reason' in headers) return call.refuse(headers)
      const asker: Asker = {
        onGone: null,
        fail: (failure, requestId) => call.fail(failure, requestId),
        answer(tensors, requestId) {
          const { id } = inference
          const head = {
            model_name: name,
            model_version: version.ref.version,
            ...(id === '' ? {} : { id }),
          }
          const { fields, body: answer } = writeRestAnswer(head, tensors, isBinary)
          call.reply(200, [...fields, ...requestIdFields(requestId)], answer)
        },
      }
      call.onGone = () => asker.onGone?.()
      infer(deps, model, inference, headers, asker)
    }),
  )
}

function receiveGenerate(
  deps: OipDeps,
  call: HttpCall,
  [name, version]: readonly [name: string, version: string],
  isStream: boolean,
): void {
  const model = findModel(versionInForce(deps), name, version)
  call.receive(deps.payloadBytesMax * JSON_FACTOR, (body) =>
    guard(call, () => {
      const headers = callerHeaders(call.headers)
      if ('reason' in headers) return call.refuse(headers)
      generate(deps, call, name, model, body, headers, isStream)
    }),
  )
}

function replyStatistics(deps: OipDeps, call: HttpCall, name: string, version: string): void {
  reply(call, 200, { model_stats: modelStatistics(versionInForce(deps), name, version) })
}

/** Whether the client asks for models that are ready only; an empty body asks for all. */
function isReadyOnly(body: Buffer): boolean {
  if (body.length === 0) return false
  const { ready = false } = (parseJson(body) ?? {}) as { ready?: unknown }
  if (typeof ready !== 'boolean') throw new KreError('invalid-argument', '"ready" is no boolean')
  return ready
}

function reply(call: HttpCall, status: number, json: object): void {
  call.reply(status, [['content-type', JSON_TYPE]], Buffer.from(JSON.stringify(json)))
}

function refuseMethod(call: HttpCall, allowed: string): void {
  const text = `${call.headers.method} is not served here: use ${allowed}`
  call.refuse(createFailure('unimplemented', 'METHOD_NOT_ALLOWED', text), [['allow', allowed]])
}

function guard(call: HttpCall, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (error instanceof URIError)
      call.refuse(createFailure('invalid-argument', 'BAD_PATH', 'the path has a wrong escape'))
    else call.refuse(toFailure(error))
  }
}
