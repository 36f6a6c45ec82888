import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { decodeEnvelope, emptyEnvelope, encodeEnvelope, type Envelope } from '@kre/contracts'
import {
  decodeWorkerFrame,
  encodeWorkerFrame,
  FRAME_LAYOUT,
  type FrameKind,
  type WorkerFrame,
} from './index.ts'

const folder = resolve(import.meta.dirname, '../fixtures')
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.bin'))
  .map((file) => file.slice(0, -'.bin'.length))
const bytesOf = (name: string) => new Uint8Array(readFileSync(join(folder, `${name}.bin`)))
const meaningOf = (name: string) =>
  JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Record<string, never>

describe('worker frames', () => {
  const frameNames = names.filter((name) => name.startsWith('worker-'))

  test.each(frameNames)('%s has the meaning of its bytes in both directions', (name) => {
    const frame = toFrame(
      meaningOf(name)['frame'] as unknown as Record<string, Record<string, unknown>>,
    )
    expect(decodeWorkerFrame(bytesOf(name))).toEqual(frame)
    expect(encodeWorkerFrame(frame)).toEqual(bytesOf(name))
  })

  test('every kind of frame has a fixture', () => {
    const kinds = frameNames.map((name) => decodeWorkerFrame(bytesOf(name))?.kind)
    expect(new Set(kinds)).toEqual(new Set(Object.keys(FRAME_LAYOUT)))
  })
})

describe('envelopes', () => {
  test.each(names.filter((name) => name.startsWith('envelope-')))(
    '%s has the meaning of its bytes in both directions',
    (name) => {
      const envelope = toEnvelope(meaningOf(name)['envelope'] as unknown as Record<string, never>)
      expect(decodeEnvelope(bytesOf(name))).toEqual(envelope)
      expect(encodeEnvelope(envelope)).toEqual(bytesOf(name))
    },
  )
})

function toFrame(json: Record<string, Record<string, unknown>>): WorkerFrame {
  const [kind, given] = Object.entries(json)[0] as [FrameKind, Record<string, unknown>]
  const frame: Record<string, unknown> = { kind }
  for (const [name, [, type]] of Object.entries<readonly [number, string]>(
    FRAME_LAYOUT[kind].fields,
  )) {
    const value = given[name]
    if (type === 'bytes') frame[name] = fromBase64(value as string | undefined)
    else if (type === 'uint') frame[name] = value ?? 0
    else if (type === 'bool') frame[name] = value ?? false
    else frame[name] = value ?? (type === 'map' ? {} : '')
  }
  return frame as unknown as WorkerFrame
}

function toEnvelope({ payload, claim, ...rest }: Record<string, never>): Envelope {
  const any = (payload ?? {}) as { typeUrl?: string; value?: string }
  return {
    ...emptyEnvelope(),
    ...(rest as Partial<Envelope>),
    typeUrl: any.typeUrl ?? '',
    value: fromBase64(any.value),
    claim: claim ?? null,
  }
}

function fromBase64(text = ''): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
