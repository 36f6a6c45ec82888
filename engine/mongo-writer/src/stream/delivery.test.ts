import { describe, expect, test } from '@jest/globals'
import { parseAckSubject } from './delivery.ts'
import { isReplySubject } from './reply-subject.ts'

describe('parseAckSubject', () => {
  test('reads both forms that servers use', () => {
    const same = { messageId: 'OUT_demo/42@1700', attempt: 3 }
    expect(parseAckSubject('$JS.ACK.OUT_demo.mongo-writer.3.42.7.1700.9')).toEqual(same)
    expect(parseAckSubject('$JS.ACK._.hash.OUT_demo.mongo-writer.3.42.7.1700.9.rand')).toEqual(same)
  })
  test.each(['', '_INBOX.a.b', '$JS.ACK.a.b', '$JS.ACK.s.c.x.1.1.1.1'])('refuses %p', (subject) => {
    expect(parseAckSubject(subject)).toBeNull()
  })
})

describe('isReplySubject', () => {
  test.each(['_INBOX.abc', '_INBOX.abc.1', '_R.demo.entry.7', '_INBOX_node.X-1'])(
    'takes %p',
    (subject) => expect(isReplySubject(subject)).toBe(true),
  )
  test.each([
    '',
    '_INBOX',
    '_INBOX.*',
    '_INBOX.>',
    '_INBOX..a',
    '_INBOX.a b',
    '_INBOX.a\r\nPUB x 0',
    '$JS.API.STREAM.DELETE.OUT_demo',
    'x.demo.v1.wf.o.log',
    `_INBOX.${'a'.repeat(300)}`,
  ])('refuses %p', (subject) => expect(isReplySubject(subject)).toBe(false))
})
