import { describe, expect, test } from '@jest/globals'
import { createOutgoing, type Outgoing } from './outgoing.ts'

const textOf = (outgoing: Outgoing) => Buffer.concat(outgoing.take()).toString('latin1')
const bytes = (text: string) => Buffer.from(text)

describe('what is to be sent', () => {
  test('has the form of the protocol, in the order of the calls', () => {
    const outgoing = createOutgoing()
    outgoing.lines('SUB a 1\r\n')
    outgoing.message('a.b', '', bytes('hello'), null)
    outgoing.message('a.b', '_INBOX.1', bytes(''), null)
    outgoing.message('a', 'r', bytes('xyz'), bytes('NATS/1.0\r\nA: b\r\n\r\n'))
    outgoing.lines('PING\r\n')
    const text =
      'SUB a 1\r\nPUB a.b 5\r\nhello\r\nPUB a.b _INBOX.1 0\r\n\r\n' +
      'HPUB a r 18 21\r\nNATS/1.0\r\nA: b\r\n\r\nxyz\r\nPING\r\n'
    expect(outgoing.bytes).toBe(text.length)
    expect(textOf(outgoing)).toBe(text)
    expect(outgoing.bytes).toBe(0)
    expect(outgoing.take()).toEqual([])
  })

  test.each([0, 9, 10, 99, 100, 999, 1_000, 65_523, 65_535, 65_537, 262_144, 262_145, 1_234_567])(
    'says the length of a payload of %d bytes',
    (length) => {
      const outgoing = createOutgoing()
      outgoing.message('a', '', Buffer.alloc(length, 'x'), null)
      expect(textOf(outgoing) === `PUB a ${length}\r\n${'x'.repeat(length)}\r\n`).toBe(true)
    },
  )

  test('copies small payloads, and hands large ones over as they are', () => {
    const outgoing = createOutgoing()
    const small = bytes('small')
    const large = Buffer.alloc(300_000, 'l')
    outgoing.message('a', '', small, null)
    outgoing.message('b', '', large, null)
    outgoing.message('c', '', small, null)
    small.fill('x')
    const pieces = outgoing.take()
    expect(pieces).toHaveLength(3)
    expect(pieces[1]).toBe(large)
    expect(Buffer.concat(pieces).toString().replaceAll('l', '')).toBe(
      'PUB a 5\r\nsma\r\nPUB b 300000\r\n\r\nPUB c 5\r\nsma\r\n',
    )
  })

  test('hands over what is kept as it is from half a block on', () => {
    const outgoing = createOutgoing()
    const kept = Buffer.alloc(32 * 1024 + 1, 'k')
    const small = Buffer.alloc(32 * 1024, 's')
    outgoing.message('a', '', kept, null, true)
    outgoing.message('b', '', small, null, true)
    const pieces = outgoing.take()
    expect(pieces).toHaveLength(3)
    expect(pieces[1]).toBe(kept)
    expect(
      Buffer.concat(pieces)
        .toString()
        .replaceAll(/[ks]{9,}/g, ''),
    ).toBe('PUB a 32769\r\n\r\nPUB b 32768\r\n\r\n')
  })

  test('puts the pieces of a payload together, and copies those that may be changed', () => {
    const outgoing = createOutgoing()
    const head = bytes('head')
    const middle = Buffer.alloc(100_000, 'm')
    outgoing.message('a', 'r', [head, middle, bytes('tail')], bytes('NATS/1.0\r\n\r\n'))
    outgoing.message('b', '', [], null)
    head.fill('x')
    middle.fill('x')
    expect(textOf(outgoing)).toBe(
      `HPUB a r 12 100020\r\nNATS/1.0\r\n\r\nhead${'m'.repeat(100_000)}tail\r\nPUB b 0\r\n\r\n`,
    )
  })

  test('uses its memory again only when nobody reads it any more', () => {
    const outgoing = createOutgoing()
    const payload = (round: number) => String.fromCharCode(97 + (round % 26)).repeat(50_000)
    const publish = (round: number) => outgoing.message('a', '', bytes(payload(round)), null)
    const memory = new Set<ArrayBufferLike>()
    for (let round = 0; round < 200; round += 5) {
      publish(round)
      publish(round + 1)
      const pieces = outgoing.take()
      for (const { buffer } of pieces) memory.add(buffer)
      // More is published while the write is under way.
      for (let more = 2; more < 5; more++) publish(round + more)
      const text = (index: number) => `PUB a 50000\r\n${payload(index)}\r\n`
      expect(Buffer.concat(pieces).toString() === text(round) + text(round + 1)).toBe(true)
      outgoing.recycle()
      const rest = text(round + 2) + text(round + 3) + text(round + 4)
      expect(textOf(outgoing) === rest).toBe(true)
      outgoing.recycle()
    }
    expect(memory.size).toBeLessThan(10)
  })

  test('leaves what was taken alone until it is given back', () => {
    const outgoing = createOutgoing()
    outgoing.message('a', '', bytes('1'), null)
    const [first] = outgoing.take()
    for (let count = 0; count < 5_000; count++) outgoing.message('b', '', bytes('22'), null)
    expect(Buffer.from(first ?? []).toString()).toBe('PUB a 1\r\n1\r\n')
    // Something waits: giving back the first part must not touch it.
    outgoing.recycle()
    expect(textOf(outgoing)).toBe('PUB b 2\r\n22\r\n'.repeat(5_000))
    outgoing.recycle()
    outgoing.message('c', '', bytes('3'), null)
    expect(textOf(outgoing)).toBe('PUB c 1\r\n3\r\n')
  })

  test.each([
    ['an empty one', ''],
    ['a space', 'a b'],
    ['a forged line', 'a 0\r\n\r\nPUB b'],
    ['a zero', 'a\0'],
    ['a sign beyond ASCII', 'é'],
    ['a tab', 'a\tb'],
    ['more signs than a line holds', 'a'.repeat(4_001)],
  ])('refuses a subject with %s, and sends nothing of it', (_, subject) => {
    const outgoing = createOutgoing()
    outgoing.message('good', '', bytes('1'), null)
    expect(() => outgoing.message(subject, '', bytes('2'), null)).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    )
    if (subject !== '')
      expect(() => outgoing.message('a', subject, bytes('2'), null)).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      )
    expect(textOf(outgoing)).toBe('PUB good 1\r\n1\r\n')
  })
})
