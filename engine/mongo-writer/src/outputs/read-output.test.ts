import { describe, expect, test } from '@jest/globals'
import { MiB, outputSubject, OUTPUT_KINDS } from '@kre/contracts'
import { LOG_MESSAGE_CHARS_MAX } from '@kre/store'
import { sampleDocument, sampleLog } from '@kre/store/testing'
import { parseOutputSubject } from './parse-output-subject.ts'
import { sampleLogBatch } from '../testing/sample-log-batch.ts'
import { readOutput } from './read-output.ts'

const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
const read = (value: unknown, subject = 'x.demo.v1.wf.o.log') =>
  readOutput('demo', { subject, data: bytes(value) })

describe('parseOutputSubject', () => {
  test.each(OUTPUT_KINDS)('reads back what outputSubject() builds for a %s', (kind) => {
    const version = { runtimeId: 'demo', version: 'v1' }
    for (const workflow of ['wf', null])
      expect(parseOutputSubject(outputSubject(version, workflow, kind))).toEqual({
        ...version,
        workflow,
        kind,
      })
  })

  test.each([
    '',
    'x.demo.v1.wf.o',
    'x.demo.v1.wf.o.log.more',
    'x.demo.v1.wf.n.log',
    'x.demo.v1.wf.o.secret',
    'x.De_mo.v1.wf.o.log',
    'x.demo.*.wf.o.log',
    'y.demo.v1.wf.o.log',
    'x.demo.v1._c.o.log',
  ])('refuses %p', (subject) => {
    expect(parseOutputSubject(subject)).toBeNull()
  })
})

describe('readOutput', () => {
  test('gives the record', () => {
    expect(read(sampleLog('1'))).toEqual({ ok: true, records: [sampleLog('1')] })
    const own = sampleLog('1', { workflow: null })
    expect(read(own, 'x.demo.v1._v.o.log')).toEqual({ ok: true, records: [own] })
    // What the entrypoint says of a request.
    expect(read(sampleLog('1'), 'x.demo.v1._v.o.log')).toEqual({
      ok: true,
      records: [sampleLog('1')],
    })
  })

  test.each<[string, unknown, RegExp]>([
    ['no bytes', '', /not JSON/],
    ['one byte', '{', /not JSON/],
    ['text', 'hello', /not JSON/],
    ['null', 'null', /not an output/],
    ['another kind than the subject says', sampleDocument('1', {}), /claims the kind "document"/],
    ['another runtime', sampleLog('1', { runtimeId: 'other' }), /claims the runtimeId "other"/],
    ['another version', sampleLog('1', { version: 'v2' }), /claims the version "v2"/],
    ['another workflow', sampleLog('1', { workflow: 'w' }), /claims the workflow "w"/],
    ['no workflow', sampleLog('1', { workflow: null }), /claims the workflow "null"/],
    ['an unknown level', { ...sampleLog('1'), level: 'FATAL' }, /not an output: level/],
    ['deep nonsense', '['.repeat(200_000), /not JSON/],
  ])('refuses %s', (_, value, reason) => {
    const result = read(value)
    expect(result).toMatchObject({ ok: false, reason: expect.stringMatching(reason) })
    expect(result.ok ? '' : result.reason.length).toBeLessThanOrEqual(300)
  })

  test('refuses bytes that are no UTF-8 but in logs, and subjects of other runtimes', () => {
    const subject = 'x.demo.v1.wf.o.log'
    for (const other of [subject, 'x.demo.v1.wf.o.document'])
      expect(
        readOutput('demo', { subject: other, data: Uint8Array.of(0x22, 0xff, 0x22) }),
      ).toMatchObject({ ok: false })
    expect(readOutput('other', { subject, data: bytes(sampleLog('1')) })).toMatchObject({
      ok: false,
    })
  })

  test('spells out the bytes of a binary log line', () => {
    const [head = '', tail = ''] = JSON.stringify(sampleLog('1', { message: '#' })).split('#')
    const data = Buffer.concat([Buffer.from(head), Buffer.of(0x89, 0x50, 0xff), Buffer.from(tail)])
    expect(readOutput('demo', { subject: 'x.demo.v1.wf.o.log', data })).toEqual({
      ok: true,
      records: [sampleLog('1', { message: '\\x89P\\xff' })],
    })
  })

  test('cuts a message that is too long to be stored, and says so', () => {
    const result = read(sampleLog('1', { message: 'x'.repeat(10 * MiB) }))
    const [record] = result.ok ? result.records : []
    const message = record?.kind === 'log' ? record.message : ''
    expect(message).toHaveLength(LOG_MESSAGE_CHARS_MAX)
    expect(message).toMatch(/x … \(10485760 characters\)$/)
  })

  test('keeps every field of a document, whatever its name', () => {
    const text = `{"__proto__":{"a":1},"$set":2,"constructor":3}`
    const value = JSON.stringify(sampleDocument('1', {})).replace(
      '"document":{}',
      `"document":${text}`,
    )
    const result = read(value, 'x.demo.v1.wf.o.document')
    expect(result.ok && JSON.stringify(result.records)).toContain(text)
  })

  test('gives a record for each line of a message that has many', () => {
    const { idPrefix: _, ...shared } = sampleLogBatch([])
    const result = read(sampleLogBatch(['one', 'two']))
    expect(result).toMatchObject({
      ok: true,
      records: [
        { kind: 'log', id: 'n/0', message: 'one', version: shared.version },
        { kind: 'log', id: 'n/1', message: 'two', workflow: shared.workflow },
      ],
    })
    const long = read(sampleLogBatch(['x'.repeat(MiB)]))
    expect(long.ok && JSON.stringify(long.records).length).toBeLessThan(2 * LOG_MESSAGE_CHARS_MAX)
  })

  test.each<[string, unknown, RegExp]>([
    ['no line', sampleLogBatch([]), /not an output: lines/],
    ['too many lines', sampleLogBatch(Array<string>(1_001).fill('')), /not an output: lines/],
    ['another version', { ...sampleLogBatch(['a']), version: 'v2' }, /claims the version "v2"/],
    [
      'a line of no level',
      { ...sampleLogBatch(['a']), lines: [[0, '', '', '', null]] },
      /lines\.0\.2/,
    ],
    [
      'a shared name that is no name',
      { ...sampleLogBatch(['a']), nodeName: 'x'.repeat(201) },
      /nodeName/,
    ],
    ['lines beside a document', { ...sampleLogBatch(['a']), lines: {} }, /lines/],
  ])('refuses many lines with %s', (_, value, reason) => {
    expect(read(value)).toMatchObject({ ok: false, reason: expect.stringMatching(reason) })
    expect(read(sampleLogBatch(['a']), 'x.demo.v1.wf.o.document')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('claims the kind "log"'),
    })
  })
})
