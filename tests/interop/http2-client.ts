/** gRPC by hand over node:http2: no library that could be forgiving. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import { gunzipSync, gzipSync } from 'node:zlib'
import * as messages from './grpc-messages.ts'
import type { CallSpec, InteropClient, Outcome, ReflectionVersion } from './interop-client.ts'

const UNAVAILABLE = 14
const CANCELLED = 1

export function startHttp2(): InteropClient {
  const sessions = new Map<string, ClientHttp2Session>()
  const session = (address: string, index = 0, keepaliveMs?: number) => {
    const key = [address, index, keepaliveMs].join()
    let found = sessions.get(key)
    if (found === undefined || found.closed || found.destroyed) {
      const opened = connect(`http://${address}`)
      found = opened
      sessions.set(key, opened)
      opened.on('error', () => undefined) // its streams tell
      opened.on('goaway', () => sessions.delete(key))
      if (keepaliveMs !== undefined) {
        const timer = setInterval(
          () => opened.destroyed || opened.ping(() => undefined),
          keepaliveMs,
        )
        opened.on('close', () => clearInterval(timer))
      }
    }
    return found
  }
  const open = (target: ClientHttp2Session, path: string, headers: Record<string, string> = {}) =>
    target.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
  const once = async (address: string, path: string, request: Buffer) => {
    const stream = open(session(address), path)
    const outcome = readOutcome(stream)
    stream.end(frame(request))
    return outcome
  }
  const reflect = async (address: string, version: ReflectionVersion, request: Buffer) => {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`
    return (await once(address, path, request)).data ?? Buffer.alloc(0)
  }

  return {
    call(spec) {
      const streams = spec.payloads.map((payload, index) => {
        const target = session(spec.address, index % (spec.channels ?? 1), spec.keepaliveMs)
        const stream = open(target, spec.path, headersOf(spec))
        const outcome = readOutcome(stream)
        stream.end(frame(payload, spec.gzip))
        return { stream, outcome }
      })
      return {
        outcomes: Promise.all(streams.map(({ outcome }) => outcome)),
        cancel() {
          for (const { stream } of streams) stream.close(constants.NGHTTP2_CANCEL)
        },
      }
    },
    listServices: async (address, version) =>
      messages.readServices(await reflect(address, version, messages.listRequest())),
    describe: async (address, version, service) =>
      messages.readMethods(
        await reflect(address, version, messages.symbolRequest(service)),
        service,
      ),
    async check(address, service) {
      const path = `${messages.HEALTH}/Check`
      const { code, data } = await once(address, path, messages.healthRequest(service))
      return data === null ? `code ${code}` : messages.readStatus(data)
    },
    watch(address, service) {
      const statuses: string[] = []
      const stream = open(session(address), `${messages.HEALTH}/Watch`)
      let rest = Buffer.alloc(0)
      stream.on('data', (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk])
        for (let end; rest.length >= 5 && rest.length >= (end = 5 + rest.readUInt32BE(1));) {
          statuses.push(messages.readStatus(rest.subarray(5, end)))
          rest = rest.subarray(end)
        }
      })
      const ended = readOutcome(stream).then(({ code }) => `code ${code}`)
      stream.end(frame(messages.healthRequest(service)))
      return { statuses, ended, stop: () => stream.close(constants.NGHTTP2_CANCEL) }
    },
    async [Symbol.asyncDispose]() {
      for (const one of sessions.values()) one.destroy()
    },
  }
}

function headersOf({ deadlineMs, metadata, gzip }: CallSpec): Record<string, string> {
  return {
    ...metadata,
    ...(deadlineMs === undefined ? {} : { 'grpc-timeout': `${deadlineMs}m` }),
    ...(gzip ? { 'grpc-encoding': 'gzip', 'grpc-accept-encoding': 'identity,gzip' } : {}),
  }
}

/** A length-prefixed message. */
function frame(payload: Uint8Array, gzip = false): Buffer {
  const body = gzip ? gzipSync(payload) : payload
  const prefix = Buffer.alloc(5)
  prefix[0] = gzip ? 1 : 0
  prefix.writeUInt32BE(body.length, 1)
  return Buffer.concat([prefix, body])
}

/** Resolves when the stream is over, however it ends. Where gRPC libraries make up a status, so does this. */
function readOutcome(stream: ClientHttp2Stream): Promise<Outcome> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const fields: IncomingHttpHeaders = {}
    stream.on('response', (headers) => void Object.assign(fields, headers))
    stream.on('trailers', (trailers) => void Object.assign(fields, trailers))
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => undefined) // told by its code
    stream.on('close', () => {
      const made = stream.rstCode === constants.NGHTTP2_CANCEL ? CANCELLED : UNAVAILABLE
      const code = Number(fields['grpc-status'] ?? made)
      const details = fields['grpc-status-details-bin']
      resolve({
        code,
        message: decodeURIComponent(String(fields['grpc-message'] ?? `reset ${stream.rstCode}`)),
        data: code === 0 ? unframe(Buffer.concat(chunks), fields) : null,
        trailers: Object.fromEntries(
          Object.entries(fields).map(([key, value]) => [key, String(value)]),
        ),
        errorInfo:
          details === undefined
            ? null
            : messages.readErrorInfo(Buffer.from(String(details), 'base64')),
      })
    })
  })
}

function unframe(body: Buffer, headers: IncomingHttpHeaders): Buffer {
  const payload = body.subarray(5)
  if (body.length < 5 || body.readUInt32BE(1) !== payload.length)
    throw new Error(`the answer is not one whole message: ${body.length} bytes`)
  if (body[0] === 0) return payload
  if (headers['grpc-encoding'] !== 'gzip') throw new Error('compressed without saying how')
  return gunzipSync(payload)
}
