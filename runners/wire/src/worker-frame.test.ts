import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { KreError } from '@kre/contracts'
import fc from 'fast-check'
import {
  decodeWorkerFrame,
  encodeWorkerFrame,
  FRAME_LAYOUT,
  type FrameKind,
  type WorkerFrame,
} from './worker-frame.ts'

describe('worker frames', () => {
  test('the layout is that of worker.proto', () => {
    const proto = readFileSync(resolve(import.meta.dirname, '../worker.proto'), 'utf8')
    expect(layoutOf(proto)).toEqual(
      Object.fromEntries(
        Object.entries(FRAME_LAYOUT).map(([kind, { tag, fields }]) => [
          kind,
          { tag, fields: { ...fields } },
        ]),
      ),
    )
  })

  test('a frame of a kind from the future is null', () => {
    expect(decodeWorkerFrame(Uint8Array.of(0xa2, 0x06, 0x00))).toBeNull()
  })

  test('a truncated frame is refused', () => {
    const bytes = encodeWorkerFrame({ kind: 'log', callId: 1, level: 'INFO', text: 'hello' })
    expect(() => decodeWorkerFrame(bytes.subarray(0, -1))).toThrow('the message ends early')
  })

  test('a key named __proto__ stays a key', () => {
    const metadata = Object.defineProperty({}, '__proto__', {
      value: 'x',
      enumerable: true,
    }) as Record<string, string>
    const bytes = encodeWorkerFrame({
      kind: 'handle',
      callId: 1,
      requestId: '',
      fromNode: '',
      messageType: 1,
      typeUrl: '',
      value: new Uint8Array(0),
      error: '',
      deadlineUnixMs: 0,
      attempt: 1,
      metadata,
      batch: 0,
    })
    const frame = decodeWorkerFrame(bytes)
    expect(frame?.kind === 'handle' && Object.keys(frame.metadata)).toEqual(['__proto__'])
  })

  test('of every kind come back as they were sent', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        expect(comparable(decodeWorkerFrame(encodeWorkerFrame(frame)))).toEqual(comparable(frame))
      }),
      { numRuns: 500 },
    )
  })

  test('of any bytes are read, skipped or refused', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .tuple(anyFrame, fc.nat(), fc.nat({ max: 255 }))
        .map(([frame, at, byte]) => change(encodeWorkerFrame(frame), at, byte)),
    )
    fc.assert(
      fc.property(bytes, (body) => {
        try {
          decodeWorkerFrame(body)
        } catch (error) {
          expect(error).toBeInstanceOf(KreError)
          expect((error as KreError).code).toBe('invalid-argument')
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

function change(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const changed = Uint8Array.from(bytes)
  changed[at % changed.length] = byte
  return changed
}

const text = fc.string({ unit: 'binary', maxLength: 30 }).map((value) => value.toWellFormed())
const VALUES = {
  uint: fc.maxSafeNat(),
  bool: fc.boolean(),
  string: text,
  bytes: fc.uint8Array({ maxLength: 100 }),
  map: fc.dictionary(fc.oneof(text, fc.constant('__proto__')), text, { maxKeys: 4 }),
} as const
const anyFrame = fc.oneof(
  ...(Object.keys(FRAME_LAYOUT) as FrameKind[]).map((kind) => {
    const fields: Record<string, fc.Arbitrary<unknown>> = {}
    for (const [name, [, type]] of Object.entries<readonly [number, keyof typeof VALUES]>(
      FRAME_LAYOUT[kind].fields,
    ))
      fields[name] = VALUES[type]
    return fc.record(fields).map((values) => ({ kind, ...values }) as unknown as WorkerFrame)
  }),
)

/** Maps by their entries, so that a key `__proto__` counts too. */
function comparable(frame: WorkerFrame | null) {
  return Object.entries(frame ?? {}).map(([name, value]: [string, unknown]) => {
    if (value instanceof Uint8Array) return [name, Buffer.from(value).toString('hex')]
    return [name, typeof value === 'object' && value !== null ? Object.entries(value) : value]
  })
}

function layoutOf(proto: string) {
  const camel = (name: string) =>
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const types: Record<string, string> = {
    uint32: 'uint',
    uint64: 'uint',
    'map<string, string>': 'map',
  }
  const tags = [
    ...(/oneof kind \{([^}]*)\}/s.exec(proto)?.[1] ?? '').matchAll(/(\w+) (\w+) = (\d+);/g),
  ]
  return Object.fromEntries(
    tags.map(([, message, kind, tag]) => {
      const body = new RegExp(`^message ${message} \\{([^}]*)\\}`, 'ms').exec(proto)?.[1] ?? ''
      const fields = [...body.matchAll(/^ *([a-z0-9]+(?:<.*>)?) (\w+) = (\d+);/gm)]
      return [
        camel(kind as string),
        {
          tag: Number(tag),
          fields: Object.fromEntries(
            fields.map(([, type, name, number]) => [
              camel(name as string),
              [Number(number), types[type as string] ?? type],
            ]),
          ),
        },
      ]
    }),
  )
}
