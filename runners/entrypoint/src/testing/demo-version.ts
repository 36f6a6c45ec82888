/** A version that needs no bundle: its interface, its launch file, and nodes that live in the test. */
import { randomUUID } from 'node:crypto'
import { create, toBinary } from '@bufbuild/protobuf'
import {
  DescriptorProtoSchema,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodDescriptorProtoSchema,
  ServiceDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt'
import {
  type Announcement,
  Cancellation,
  controlSubject,
  type DeathNotice,
  decodeEnvelope,
  emptyEnvelope,
  encodeEnvelope,
  ENGINE_HEARTBEAT_SUBJECT,
  type EntrypointLaunch,
  type Envelope,
  ingressSubject,
  interfaceKey,
  MESSAGE_TYPE,
  type NatsAccess,
  ROUTING_KEY,
  routingBucket,
  type VersionInterface,
} from '@kre/contracts'
import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'

export const RUNTIME = 'demo-rt'
export const DIGEST = 'sha256:demo'
export const GREET = '/demo.Entrypoint/Greet'
export const OTHER = '/demo.Entrypoint/Other'
/** Declared, but without a workflow. */
export const UNUSED = '/demo.Entrypoint/Unused'

export function demoInterface(
  version: string,
  overrides: Partial<VersionInterface> = {},
): VersionInterface {
  const method = (rpc: string, workflow: string | null) => ({
    path: `/demo.Entrypoint/${rpc}`,
    rpc,
    requestType: 'demo.Request',
    responseType: 'demo.Response',
    workflow,
  })
  return {
    runtimeId: RUNTIME,
    version,
    versionId: `${version}-id`,
    bundleDigest: DIGEST,
    methods: [method('Greet', 'greet'), method('Other', 'other'), method('Unused', null)],
    workflows: [
      { id: 'greet', timeoutMs: null, nodes: ['greeter'] },
      { id: 'other', timeoutMs: 400, nodes: ['first', 'second'] },
    ],
    descriptorSet: Buffer.from(demoDescriptors()).toString('base64'),
    ...overrides,
  }
}

export function demoLaunch(
  nats: NatsAccess,
  overrides: Partial<EntrypointLaunch> = {},
): EntrypointLaunch {
  return {
    kind: 'entrypoint',
    runtimeId: RUNTIME,
    version: 'v1',
    versionId: 'v1-id',
    requestTimeoutMs: 10_000,
    payloadBytesMax: 100_000,
    reflection: true,
    nats,
    replica: 0,
    drainMs: 3_000,
    engineAbsenceMs: 60_000,
    listen: { host: '127.0.0.1', port: 0 },
    ...overrides,
  }
}

/** Writes as the NATS manager does. */
export async function writeInterface(nats: NatsConnection, served: VersionInterface) {
  const kv = await new Kvm(jetstream(nats)).create(routingBucket(RUNTIME))
  await kv.put(interfaceKey(served.version), JSON.stringify(served))
}

export async function publishVersion(nats: NatsConnection, version: string | null, generation = 1) {
  const kv = await new Kvm(jetstream(nats)).create(routingBucket(RUNTIME))
  await kv.put(ROUTING_KEY, JSON.stringify({ generation, published: version }))
}

export function beat(nats: NatsConnection) {
  nats.publish(ENGINE_HEARTBEAT_SUBJECT)
}

export function sendDeathNotice(nats: NatsConnection, version: string, notice: DeathNotice) {
  nats.publish(controlSubject({ runtimeId: RUNTIME, version }, 'gone'), JSON.stringify(notice))
}

/** What a node does with a request: an answer's fields, or null for none. */
export type Handler = (request: Envelope) => Partial<Envelope> | null

export const echo: Handler = (request) => ({ value: request.value })

export type FakeNode = {
  readonly requests: Envelope[]
  readonly cancelled: string[]
  readonly incarnation: string
  announce(more?: Partial<Announcement>): void
  /** Answers later, by hand. */
  reply(request: Envelope, answer: Partial<Envelope>): void
  /** Unsubscribes without a word, as a crash does. */
  stop(): void
}

export function startNode(
  nats: NatsConnection,
  options: {
    version?: string
    workflow?: string
    node?: string
    replica?: number
    pid?: number
    digest?: string
    /** Takes the workflow's requests; others only announce themselves. */
    isFirst?: boolean
    interrupted?: string[]
    handler?: Handler
  } = {},
): FakeNode {
  const { version = 'v1', workflow = 'greet', node = 'greeter', handler = echo } = options
  const ref = { runtimeId: RUNTIME, version }
  const incarnation = randomUUID()
  const requests: Envelope[] = []
  const cancelled: string[] = []
  const announcement: Announcement = {
    role: 'node',
    runtimeId: RUNTIME,
    version,
    workflow,
    node,
    replica: options.replica ?? 0,
    incarnation,
    pid: options.pid ?? 1,
    bundleDigest: options.digest ?? DIGEST,
    state: 'ready',
    interrupted: options.interrupted ?? [],
    address: null,
  }
  const reply = (request: Envelope, answer: Partial<Envelope>) => {
    const envelope: Envelope = {
      ...emptyEnvelope(),
      requestId: request.requestId,
      typeUrl: 'type.googleapis.com/demo.Response',
      fromNode: node,
      messageType: MESSAGE_TYPE.ok,
      ...answer,
    }
    nats.publish(request.replyTo, encodeEnvelope(envelope))
  }
  const announce = (more: Partial<Announcement> = {}) =>
    nats.publish(controlSubject(ref, 'announce'), JSON.stringify({ ...announcement, ...more }))
  const subscriptions = [
    nats.subscribe(controlSubject(ref, 'ping'), {
      callback: (_error, message) => void message.respond(JSON.stringify(announcement)),
    }),
    nats.subscribe(controlSubject(ref, 'cancel'), {
      callback: (_error, message) =>
        void cancelled.push(...Cancellation.parse(message.json()).requestIds),
    }),
  ]
  if (options.isFirst ?? true) {
    subscriptions.push(
      nats.subscribe(ingressSubject({ ...ref, workflow }), {
        queue: node,
        callback: (_error, message) => {
          // A copy: the client reuses nothing, but a test keeps requests for long.
          const request = decodeEnvelope(Uint8Array.from(message.data))
          requests.push(request)
          const answer = handler(request)
          if (answer !== null) reply(request, answer)
        },
      }),
    )
  }
  announce()
  return {
    requests,
    cancelled,
    incarnation,
    announce,
    reply,
    stop() {
      for (const subscription of subscriptions) subscription.unsubscribe()
    },
  }
}

/** `demo.proto` with `service Entrypoint`, one import and an extension's absence. */
function demoDescriptors(): Uint8Array {
  const message = (name: string) =>
    create(DescriptorProtoSchema, {
      name,
      field: [
        create(FieldDescriptorProtoSchema, {
          name: 'text',
          number: 1,
          type: FieldDescriptorProto_Type.STRING,
        }),
      ],
    })
  const common = create(FileDescriptorProtoSchema, {
    name: 'common/part.proto',
    package: 'demo.common',
    syntax: 'proto3',
    messageType: [message('Part')],
  })
  const demo = create(FileDescriptorProtoSchema, {
    name: 'demo.proto',
    package: 'demo',
    syntax: 'proto3',
    dependency: ['common/part.proto'],
    messageType: [message('Request'), message('Response')],
    service: [
      create(ServiceDescriptorProtoSchema, {
        name: 'Entrypoint',
        method: ['Greet', 'Other', 'Unused'].map((name) =>
          create(MethodDescriptorProtoSchema, {
            name,
            inputType: '.demo.Request',
            outputType: '.demo.Response',
          }),
        ),
      }),
    ],
  })
  return toBinary(
    FileDescriptorSetSchema,
    create(FileDescriptorSetSchema, { file: [common, demo] }),
  )
}
