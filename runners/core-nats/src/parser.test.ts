import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createParser } from './parser.ts'

type Seen = unknown[]

/** Reads all chunks; the log of what was handed over. */
function readAll(chunks: readonly Buffer[], wanted: (sid: number) => boolean = () => true): Seen {
  const seen: Seen = []
  const parser = createParser({
    onInfo: (text) => seen.push(['info', JSON.parse(text)]),
    onPing: () => seen.push('ping'),
    onPong: () => seen.push('pong'),
    onError: (text) => seen.push(['error', text]),
    has: wanted,
    onMessage: (sid, { subject, reply, data, status }) =>
      seen.push([sid, subject, reply, Buffer.from(data).toString('latin1'), status]),
  })
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk)
    parser.read(reused)
    // Whoever reads from the socket writes over it next.
    reused.fill(0x21)
  }
  return seen
}
const read = (text: string) => readAll([Buffer.from(text, 'latin1')])

const STREAM = [
  'INFO {"max_payload":1048576,"headers":true}\r\n',
  'MSG a.b 1 5\r\nhello\r\n',
  'PING\r\n',
  'MSG a.b 2 _INBOX.x 2\r\n\r\n\r\n',
  'HMSG a.c 3 _INBOX.y 30 30\r\nNATS/1.0 503 No Responders\r\n\r\n\r\n',
  'HMSG a.c 3 18 21\r\nNATS/1.0\r\nA: b\r\n\r\nxyz\r\n',
  '+OK\r\n',
  'MSG a.d 4 0\r\n\r\n',
  '-ERR \'Permissions Violation for Publish to "x"\'\r\n',
  'PONG\r\n',
  'MSG a.b 1 300\r\n' + 'MSG a.b 1 5\r\n'.repeat(30).slice(0, 300) + '\r\n',
].join('')
const SEEN = [
  ['info', { max_payload: 1048576, headers: true }],
  [1, 'a.b', '', 'hello', 0],
  'ping',
  [2, 'a.b', '_INBOX.x', '\r\n', 0],
  [3, 'a.c', '_INBOX.y', '', 503],
  [3, 'a.c', '', 'xyz', 0],
  [4, 'a.d', '', '', 0],
  ['error', 'Permissions Violation for Publish to "x"'],
  'pong',
  [1, 'a.b', '', 'MSG a.b 1 5\r\n'.repeat(30).slice(0, 300), 0],
]

describe('the parser', () => {
  test('reads every operation of a server', () => {
    expect(read(STREAM)).toEqual(SEEN)
  })

  test('reads a stream cut into two anywhere', () => {
    const bytes = Buffer.from(STREAM, 'latin1')
    for (let at = 1; at < bytes.length; at++)
      expect(readAll([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(SEEN)
  })

  test('reads a stream that comes byte by byte', () => {
    const bytes = Buffer.from(STREAM, 'latin1')
    expect(readAll(Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(SEEN)
  })

  test('reads any messages, in any chunks', () => {
    const message = fc.record({
      sid: fc.integer({ min: 1, max: 9_999 }),
      subject: fc.stringMatching(/^[!-~]{1,40}$/),
      reply: fc.stringMatching(/^[!-~]{0,40}$/),
      data: fc.uint8Array({ maxLength: 400 }),
      status: fc.option(fc.integer({ min: 100, max: 999 })),
    })
    const property = fc.property(
      fc.array(message, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
      (messages, sizes) => {
        const bytes = Buffer.concat(
          messages.map(({ sid, subject, reply, data, status }) => {
            const headers = status === null ? '' : `NATS/1.0 ${status}\r\n\r\n`
            const lengths =
              status === null
                ? String(data.length)
                : `${headers.length} ${headers.length + data.length}`
            const line = `${subject} ${sid} ${reply === '' ? '' : `${reply} `}${lengths}\r\n`
            const start = (status === null ? 'MSG ' : 'HMSG ') + line + headers
            return Buffer.concat([Buffer.from(start), data, Buffer.from('\r\n')])
          }),
        )
        const chunks: Buffer[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] as number
          chunks.push(bytes.subarray(at, at + size))
          at += size
        }
        expect(readAll(chunks)).toEqual(
          messages.map(({ sid, subject, reply, data, status }) => [
            sid,
            subject,
            reply,
            Buffer.from(data).toString('latin1'),
            status ?? 0,
          ]),
        )
      },
    )
    fc.assert(property, { numRuns: 200 })
  })

  test('says where the bytes of a large message belong, and takes them there', () => {
    const seen: string[] = []
    const parser = createParser({
      onInfo: () => undefined,
      onPing: () => void seen.push('ping'),
      onPong: () => undefined,
      onError: () => undefined,
      has: () => true,
      onMessage: (_, { data }) => void seen.push(Buffer.from(data).toString('latin1')),
    })
    const payload = 'abcdefghij'.repeat(30_000)
    const bytes = Buffer.from(`MSG a 1 300000\r\n${payload}\r\nPING\r\n`)
    expect(parser.room()).toBeNull()
    parser.read(bytes.subarray(0, 1_000))
    let at = 1_000
    for (let room = parser.room(); room !== null; room = parser.room()) {
      expect(at + room.length).toBe(bytes.length - 'PING\r\n'.length)
      const part = Math.min(room.length, 70_000)
      bytes.copy(room, 0, at, at + part)
      parser.filled(part)
      at += part
    }
    parser.read(bytes.subarray(at))
    expect(at).toBeGreaterThan(200_000)
    expect(seen[0] === payload).toBe(true)
    expect(seen.slice(1)).toEqual(['ping'])
  })

  test('refuses a large message that does not end where it says, wherever it was read', () => {
    const parser = createParser({
      onInfo: () => undefined,
      onPing: () => undefined,
      onPong: () => undefined,
      onError: () => undefined,
      has: () => true,
      onMessage: () => undefined,
    })
    parser.read(Buffer.from('MSG a 1 100000\r\nx'))
    const room = parser.room()
    room?.fill('x')
    expect(() => parser.filled(room?.length ?? 0)).toThrow('is not NATS')
  })

  test('takes operations in any case, and blanks of any kind and number', () => {
    expect(
      read('msg  a.b\t1   2\r\nhi\r\nPing\r\nhMsg a 1 r 12 12 \r\nNATS/1.0\r\n\r\n\r\n'),
    ).toEqual([[1, 'a.b', '', 'hi', 0], 'ping', [1, 'a', 'r', '', 0]])
  })

  test('passes over messages that nobody takes', () => {
    const bytes = Buffer.from('MSG a 1 3\r\nabc\r\nMSG b 2 3\r\ndef\r\n')
    for (let at = 1; at < bytes.length; at++)
      expect(readAll([bytes.subarray(0, at), bytes.subarray(at)], (sid) => sid === 2)).toEqual([
        [2, 'b', '', 'def', 0],
      ])
  })

  test('hands over nothing after a stop, not even of the same chunk', () => {
    const seen: string[] = []
    const parser = createParser({
      onInfo: () => undefined,
      onPing: () => undefined,
      onPong: () => undefined,
      onError: () => undefined,
      has: () => true,
      onMessage(_, { subject }) {
        seen.push(subject)
        parser.stop()
      },
    })
    parser.read(Buffer.from('MSG a 1 0\r\n\r\nMSG b 1 0\r\n\r\n'))
    expect(seen).toEqual(['a'])
  })

  test.each([
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n'],
    ['an operation that only clients send', 'PUB a 1\r\nx\r\n'],
    ['an empty line', '\r\n'],
    ['a line that ends in LF alone', 'PING\n'],
    ['a name that only starts like an operation', 'PINGS\r\n'],
    ['too few arguments', 'MSG a 1\r\n'],
    ['too many arguments', 'MSG a 1 r 2 3\r\n'],
    ['far too many arguments', 'HMSG a 1 r 2 3 4\r\n'],
    ['a negative length', 'MSG a 1 -1\r\n'],
    ['a length that is no number', 'MSG a 1 1e3\r\n'],
    ['a length beyond what servers can send', 'MSG a 1 67108865\r\n'],
    ['a length that no number holds', 'MSG a 1 99999999999999999999999999\r\n'],
    ['headers longer than their message', 'HMSG a 1 30 20\r\n'],
    ['a message longer than it says', 'MSG a 1 3\r\nabcd\r\n'],
    ['a line without an end', 'INFO '.padEnd(300_000, 'x')],
  ])('refuses %s', (_, text) => {
    expect(() => read(text)).toThrow('is not NATS')
    expect(() =>
      readAll(Array.from(Buffer.from(text), (byte) => Buffer.of(byte)).slice(0, 300)),
    ).not.toThrow(TypeError)
  })

  test('never fails otherwise, whatever comes', () => {
    const piece = fc.oneof(
      fc.constantFrom('MSG ', 'HMSG ', 'a ', '1 ', '12 ', '\r\n', '\r', '\n', 'PING\r\n', 'x'),
      fc.string({ unit: 'binary', maxLength: 5 }),
    )
    const property = fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        readAll(pieces.map((text) => Buffer.from(text, 'latin1')))
      } catch (error) {
        expect((error as Error).name).toMatch(/^(KreError|SyntaxError)$/)
      }
    })
    fc.assert(property, { numRuns: 1_000 })
  })
})
