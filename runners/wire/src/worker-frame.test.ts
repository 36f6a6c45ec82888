import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { decodeWorkerFrame, encodeWorkerFrame, FRAME_LAYOUT } from './worker-frame.ts'

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
})

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
