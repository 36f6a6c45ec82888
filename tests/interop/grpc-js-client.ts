import { Client, compressionAlgorithms, credentials, Metadata, status } from '@grpc/grpc-js'
import * as messages from './grpc-messages.ts'
import type { CallSpec, InteropClient, Outcome, ReflectionVersion } from './interop-client.ts'

const CALL_TIMEOUT_MS = 60_000
const raw = (bytes: Uint8Array) => Buffer.from(bytes)

/** Node.js's own gRPC library. */
export function startGrpcJs(): InteropClient {
  const channels = new Map<string, Client>()
  const channel = (address: string, index = 0, { gzip, keepaliveMs }: Partial<CallSpec> = {}) => {
    const key = [address, index, gzip, keepaliveMs].join()
    let client = channels.get(key)
    if (client === undefined) {
      client = new Client(address, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
        'grpc.max_receive_message_length': -1,
        // Soon again after a refusal, as the server of a test comes back at once.
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 500,
        ...(gzip ? { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip } : {}),
        ...(keepaliveMs === undefined
          ? {}
          : {
              'grpc.keepalive_time_ms': keepaliveMs,
              'grpc.keepalive_timeout_ms': 5_000,
              'grpc.keepalive_permit_without_calls': 1,
            }),
      })
      channels.set(key, client)
    }
    return client
  }

  return {
    call(spec) {
      const started = spec.payloads.map((payload, index) =>
        invoke(channel(spec.address, index % (spec.channels ?? 1), spec), spec, payload),
      )
      return {
        outcomes: Promise.all(started.map(({ outcome }) => outcome)),
        cancel() {
          for (const { call } of started) call.cancel()
        },
      }
    },
    listServices: async (address, version) =>
      messages.readServices(await reflect(channel(address), version, messages.listRequest())),
    describe: async (address, version, service) => {
      const request = messages.symbolRequest(service)
      return messages.readMethods(await reflect(channel(address), version, request), service)
    },
    async check(address, service) {
      const spec = { address, path: `${messages.HEALTH}/Check`, payloads: [] }
      const { code, data } = await invoke(channel(address), spec, messages.healthRequest(service))
        .outcome
      return data === null ? `code ${code}` : messages.readStatus(data)
    },
    watch(address, service) {
      const statuses: string[] = []
      const stream = channel(address).makeServerStreamRequest(
        `${messages.HEALTH}/Watch`,
        raw,
        raw,
        messages.healthRequest(service),
      )
      stream.on('data', (bytes: Buffer) => statuses.push(messages.readStatus(bytes)))
      const ended = new Promise<string>((resolve) => {
        stream.on('error', ({ code }: { code?: number }) => resolve(`code ${code}`))
        stream.on('end', () => resolve('code 0'))
      })
      return { statuses, ended, stop: () => stream.cancel() }
    },
    async [Symbol.asyncDispose]() {
      for (const client of channels.values()) client.close()
    },
  }
}

function invoke(client: Client, spec: CallSpec, payload: Uint8Array) {
  const metadata = new Metadata({ waitForReady: spec.waitForReady ?? false })
  for (const [key, value] of Object.entries(spec.metadata ?? {})) metadata.set(key, value)
  const deadline = Date.now() + (spec.deadlineMs ?? CALL_TIMEOUT_MS)
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  let data: Buffer | null = null
  const call = client.makeUnaryRequest(
    spec.path,
    raw,
    raw,
    Buffer.from(payload),
    metadata,
    { deadline },
    (_error, answer) => (data = answer ?? null),
  )
  call.on('status', ({ code, details, metadata: trailers }) => {
    const binary = trailers.get('grpc-status-details-bin')[0]
    resolve({
      code,
      message: details,
      data: code === status.OK ? data : null,
      trailers: Object.fromEntries(
        Object.entries(trailers.getMap()).map(([key, value]) => [key, String(value)]),
      ),
      errorInfo: Buffer.isBuffer(binary) ? messages.readErrorInfo(binary) : null,
    })
  })
  return { call, outcome: promise }
}

async function reflect(client: Client, version: ReflectionVersion, request: Buffer) {
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`
  const stream = client.makeBidiStreamRequest(path, raw, raw)
  const answer = await new Promise<Buffer>((resolve, reject) => {
    stream.once('data', resolve).once('error', reject)
    stream.write(request)
  })
  stream.end()
  return answer
}
