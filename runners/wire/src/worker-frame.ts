/**
 * The frames of `worker.proto`, in both directions. The layout is one table, so that types, encoder and decoder
 * can't disagree; a test compares the table with the .proto file.
 */
import { KiB, KreError, ProtoReader, ProtoWriter } from '@kre/contracts/runtime'

type FieldType = 'uint' | 'bool' | 'string' | 'bytes' | 'map'
type Layout = { readonly tag: number; readonly fields: Readonly<Record<string, FieldEntry>> }
type FieldEntry = readonly [number: number, type: FieldType]

/** Field names are the .proto's in camelCase. */
export const FRAME_LAYOUT = {
  hello: {
    tag: 1,
    fields: { protocol: [1, 'uint'], language: [2, 'string'], readsAhead: [3, 'bool'] },
  },
  initDone: { tag: 2, fields: { handlesErrors: [1, 'bool'] } },
  initFailed: { tag: 3, fields: { text: [1, 'string'], stack: [2, 'string'] } },
  output: {
    tag: 4,
    fields: {
      callId: [1, 'uint'],
      messageType: [2, 'uint'],
      channel: [3, 'string'],
      typeUrl: [4, 'string'],
      value: [5, 'bytes'],
      error: [6, 'string'],
    },
  },
  call: {
    tag: 5,
    fields: {
      id: [1, 'uint'],
      callId: [2, 'uint'],
      service: [3, 'string'],
      method: [4, 'string'],
      arguments: [5, 'string'],
      data: [6, 'bytes'],
    },
  },
  done: { tag: 6, fields: { callId: [1, 'uint'], elapsedUs: [2, 'uint'] } },
  failed: {
    tag: 7,
    fields: {
      callId: [1, 'uint'],
      text: [2, 'string'],
      stack: [3, 'string'],
      retryable: [4, 'bool'],
      retryAfterMs: [5, 'uint'],
      statusCode: [6, 'uint'],
      elapsedUs: [7, 'uint'],
    },
  },
  log: { tag: 8, fields: { callId: [1, 'uint'], level: [2, 'string'], text: [3, 'string'] } },
  init: {
    tag: 9,
    fields: {
      basePath: [1, 'string'],
      handlerPath: [2, 'string'],
      node: [3, 'string'],
      nodeName: [4, 'string'],
      workflow: [5, 'string'],
      version: [6, 'string'],
      versionId: [7, 'string'],
      runtimeId: [8, 'string'],
      concurrency: [9, 'uint'],
      isExitpoint: [10, 'bool'],
      requestType: [11, 'string'],
      responseType: [12, 'string'],
      descriptorSet: [13, 'bytes'],
      config: [14, 'map'],
      objectStore: [15, 'bool'],
      isFirst: [16, 'bool'],
      runningFile: [17, 'string'],
      batched: [18, 'bool'],
      isStreaming: [19, 'bool'],
    },
  },
  handle: {
    tag: 10,
    fields: {
      callId: [1, 'uint'],
      requestId: [2, 'string'],
      fromNode: [3, 'string'],
      messageType: [4, 'uint'],
      typeUrl: [5, 'string'],
      value: [6, 'bytes'],
      error: [7, 'string'],
      deadlineUnixMs: [8, 'uint'],
      attempt: [9, 'uint'],
      metadata: [10, 'map'],
      batch: [11, 'uint'],
    },
  },
  callResult: {
    tag: 11,
    fields: {
      id: [1, 'uint'],
      error: [2, 'string'],
      result: [3, 'string'],
      data: [4, 'bytes'],
      statusCode: [5, 'uint'],
    },
  },
  cancel: { tag: 12, fields: { callId: [1, 'uint'] } },
  drain: { tag: 13, fields: {} },
  loaded: { tag: 14, fields: {} },
} as const satisfies Record<string, Layout>

type Value<T extends FieldType> = {
  uint: number
  bool: boolean
  string: string
  bytes: Uint8Array
  map: Record<string, string>
}[T]

export type FrameKind = keyof typeof FRAME_LAYOUT
/** One frame of a kind: `WorkerFrame<'handle'>`; without a parameter, any frame. */
export type WorkerFrame<K extends FrameKind = FrameKind> = K extends FrameKind
  ? { kind: K } & {
      -readonly [
        F in keyof (typeof FRAME_LAYOUT)[K]['fields']
      ]: (typeof FRAME_LAYOUT)[K]['fields'][F] extends readonly [number, infer T extends FieldType]
        ? Value<T>
        : never
    }
  : never

/** Version of the protocol, said in Hello. */
export const WORKER_PROTOCOL = 1

/** One frame without its length prefix. */
export function encodeWorkerFrame(frame: WorkerFrame): Uint8Array {
  const layout: Layout = FRAME_LAYOUT[frame.kind]
  const values = frame as unknown as Readonly<Record<string, unknown>>
  const bytes = payloadBytes(values)
  const isSmall = bytes <= SMALL_BYTES_MAX
  const w = isSmall ? writer.restart() : new ProtoWriter(bytes + 256)
  const message = w.beginMessage(layout.tag)
  for (const name in layout.fields) {
    const [number, type] = layout.fields[name] as FieldEntry
    writeField(w, number, type, values[name])
  }
  w.endMessage(message)
  return isSmall ? w.finishCopy() : w.finish()
}

/** One writer for all small frames: they are most, and a buffer for each would be most of their cost. */
const writer = new ProtoWriter()
const SMALL_BYTES_MAX = 16 * KiB

/**
 * Fields and frame kinds that this side does not know are skipped; a frame of an unknown kind is null.
 * Byte fields are views into `bytes`.
 *
 * @throws KreError `invalid-argument` when the bytes are not a frame.
 */
export function decodeWorkerFrame(bytes: Uint8Array): WorkerFrame | null {
  const outer = new ProtoReader(bytes)
  let frame: WorkerFrame | null = null
  while (outer.next()) {
    const kind = KIND_BY_TAG.get(outer.field)
    if (kind === undefined) outer.skip()
    else frame = readFrame(kind, outer.message())
  }
  return frame
}

const KIND_BY_TAG: ReadonlyMap<number, FrameKind> = new Map(
  (Object.keys(FRAME_LAYOUT) as FrameKind[]).map((kind) => [FRAME_LAYOUT[kind].tag, kind]),
)
const NAME_BY_NUMBER: ReadonlyMap<FrameKind, ReadonlyMap<number, string>> = new Map(
  [...KIND_BY_TAG.values()].map((kind) => {
    const { fields }: Layout = FRAME_LAYOUT[kind]
    return [kind, new Map(Object.entries(fields).map(([name, [number]]) => [number, name]))]
  }),
)
const NO_BYTES = new Uint8Array(0)

function readFrame(kind: FrameKind, r: ProtoReader): WorkerFrame {
  const { fields }: Layout = FRAME_LAYOUT[kind]
  const names = NAME_BY_NUMBER.get(kind)
  const frame: Record<string, unknown> = { kind }
  for (const name in fields) frame[name] = emptyValue((fields[name] as FieldEntry)[1])
  while (r.next()) {
    const name = names?.get(r.field)
    if (name === undefined) r.skip()
    else frame[name] = readField(r, (fields[name] as FieldEntry)[1], frame[name])
  }
  return frame as unknown as WorkerFrame
}

function emptyValue(type: FieldType): unknown {
  if (type === 'uint') return 0
  if (type === 'bool') return false
  if (type === 'string') return ''
  return type === 'bytes' ? NO_BYTES : {}
}

function readField(r: ProtoReader, type: FieldType, before: unknown): unknown {
  if (type === 'uint') return r.uint()
  if (type === 'bool') return r.uint() !== 0
  if (type === 'string') return r.string()
  if (type === 'bytes') return r.bytes()
  const entry = r.message()
  let key = ''
  let value = ''
  while (entry.next()) {
    if (entry.field === 1) key = entry.string()
    else if (entry.field === 2) value = entry.string()
    else entry.skip()
  }
  // Set by definition, so that a key named `__proto__` is a plain key.
  return Object.defineProperty(before as object, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

function writeField(w: ProtoWriter, number: number, type: FieldType, value: unknown): void {
  if (type === 'uint') w.uint(number, toUint(value as number))
  else if (type === 'bool') w.uint(number, value === true ? 1 : 0)
  else if (type === 'string') w.string(number, value as string)
  else if (type === 'bytes') w.bytes(number, value as Uint8Array)
  else {
    for (const [key, text] of Object.entries(value as Record<string, string>)) {
      const entry = w.beginMessage(number)
      w.string(1, key)
      w.string(2, text)
      w.endMessage(entry)
    }
  }
}

function toUint(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new KreError('internal', `a frame field holds ${value}, which is no unsigned integer`)
}

function payloadBytes(values: Readonly<Record<string, unknown>>): number {
  let bytes = 0
  for (const name in values) {
    const value = values[name]
    if (value instanceof Uint8Array) bytes += value.length
    else if (typeof value === 'string') bytes += value.length
  }
  return bytes
}
