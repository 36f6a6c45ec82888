import { describe, expect, test } from '@jest/globals'
import { FindReply, KreError } from '@kre/contracts'
import { answerFind, FIND_DOCUMENTS_MAX, FIND_REPLY_BYTES_MAX } from './answer-find.ts'

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const request = encode({ collection: 'c', query: { a: 1 } })

async function answer(documents: Record<string, unknown>[], data = request) {
  const { json, failure } = await answerFind({ findDocuments: async () => documents }, 'demo', data)
  return { reply: FindReply.parse(JSON.parse(json)), failure, bytes: Buffer.byteLength(json) }
}

describe('answerFind', () => {
  test('gives as many documents as an answer may hold, and refuses one more', async () => {
    const documents = Array.from({ length: FIND_DOCUMENTS_MAX }, (_, i) => ({ i }))
    expect((await answer(documents)).reply).toEqual({ success: true, documents })
    expect((await answer([...documents, {}])).reply).toMatchObject({
      success: false,
      error: expect.stringContaining('add fields'),
    })
  })

  test('gives as many bytes as an answer may hold, and refuses one more', async () => {
    const { bytes } = await answer([{ text: '' }])
    const fits = 'x'.repeat(FIND_REPLY_BYTES_MAX - bytes - 1)
    expect((await answer([{ text: fits }])).reply.success).toBe(true)
    expect((await answer([{ text: `${fits}x` }])).reply.success).toBe(false)
  })

  test.each([
    ['nothing', null],
    ['a list', []],
    ['no query', { collection: 'c' }],
  ])('refuses %s', async (_, value) => {
    expect((await answer([], encode(value))).reply.success).toBe(false)
    expect((await answer([], Uint8Array.of(0xff))).reply.success).toBe(false)
  })

  test('tells the caller of a failing store without its insides', async () => {
    const failure = new KreError('unavailable', 'mongodb://user:secret@host is down')
    const findDocuments = async (): Promise<never> => {
      throw failure
    }
    const answered = await answerFind({ findDocuments }, 'demo', request)
    expect(answered.failure).toBe(failure)
    expect(answered.json).not.toContain('secret')
  })
})
