import { describe, expect, test } from '@jest/globals'
import { KreError } from '@kre/contracts'
import type { OutputStore } from '@kre/store'
import { sampleLog } from '@kre/store/testing'
import type { Delivery } from '../stream/delivery.ts'
import { sampleLogBatch } from '../testing/sample-log-batch.ts'
import { storeBatch } from './store-batch.ts'
import { POISON_ATTEMPTS_MAX } from './write-records.ts'

type Answered = Delivery & { answer: string }

function delivery(body: unknown, attempt = 1): Answered {
  const answered: Answered = {
    subject: 'x.demo.v1.wf.o.log',
    data: new TextEncoder().encode(JSON.stringify(body)),
    messageId: 'OUT_demo/1@1',
    attempt,
    storedReply: null,
    answer: '',
    ack: () => void (answered.answer += 'ack'),
    nak: (ms) => void (answered.answer += `nak ${ms}`),
    term: () => void (answered.answer += 'term'),
  }
  return answered
}

async function run(
  outputs: Partial<Pick<OutputStore, 'write' | 'setAside'>>,
  deliveries: Answered[],
) {
  const told: (string | null)[] = []
  const outcome = await storeBatch(
    {
      outputs: {
        write: async (records) => records.map(({ id }) => ({ id, stored: true })),
        setAside: async () => undefined,
        ...outputs,
      },
      reply: (_, error) => void told.push(error),
      now: () => new Date(0),
    },
    'demo',
    deliveries,
    70,
  )
  return { outcome, told, answers: deliveries.map(({ answer }) => answer) }
}

describe('storeBatch', () => {
  test('acknowledges what is stored and ends what can never be, and tells both senders', async () => {
    const { outcome, answers, told } = await run({}, [
      delivery(sampleLog('1')),
      delivery('garbage'),
      delivery(sampleLog('2')),
    ])
    expect(answers).toEqual(['ack', 'term', 'ack'])
    expect(told).toEqual([null, expect.stringContaining('not an output'), null])
    expect(outcome).toMatchObject({ setAside: [expect.any(String)], returned: 0, failure: null })
  })

  test('gives the whole batch back when the store fails, and tells nobody', async () => {
    const failure = new KreError('unavailable', 'down')
    const write = async (): Promise<never> => {
      throw failure
    }
    const { outcome, answers, told } = await run({ write }, [
      delivery(sampleLog('1')),
      delivery(sampleLog('2'), 1_000),
    ])
    expect(answers).toEqual(['nak 70', 'nak 70'])
    expect(told).toEqual([])
    expect(outcome).toMatchObject({ stored: 0, returned: 2, failure })
  })

  test('sets aside what the store refuses', async () => {
    const aside: string[] = []
    const { answers } = await run(
      {
        write: async (records) =>
          records.map(({ id }) =>
            id === '1' ? { id, stored: false, reason: 'too deep' } : { id, stored: true },
          ),
        setAside: async (messages) => void aside.push(...messages.map(({ reason }) => reason)),
      },
      [delivery(sampleLog('1')), delivery(sampleLog('2'))],
    )
    expect(answers).toEqual(['term', 'ack'])
    expect(aside).toEqual(['too deep'])
  })

  test('gives garbage back when it can not be set aside', async () => {
    const setAside = async (): Promise<never> => {
      throw new KreError('resource-exhausted', 'full')
    }
    const { outcome, answers } = await run({ setAside }, [
      delivery('garbage'),
      delivery(sampleLog('1')),
    ])
    expect(answers).toEqual(['nak 70', 'ack'])
    expect(outcome.failure).toMatchObject({ code: 'resource-exhausted' })
  })

  test('one record that breaks every write does not hold its neighbours up', async () => {
    const write: OutputStore['write'] = async (records) => {
      if (records.some(({ id }) => id === 'poison')) throw new Error('boom')
      return records.map(({ id }) => ({ id, stored: true }))
    }
    const young = await run({ write }, [delivery(sampleLog('1')), delivery(sampleLog('poison'))])
    expect(young.answers).toEqual(['ack', 'nak 70'])
    const old = await run({ write }, [
      delivery(sampleLog('poison'), POISON_ATTEMPTS_MAX),
      delivery(sampleLog('2'), POISON_ATTEMPTS_MAX),
    ])
    expect(old.answers).toEqual(['term', 'ack'])
    expect(old.outcome.setAside).toEqual([expect.stringContaining('boom')])
  })
})

describe('storeBatch, with many lines in a message,', () => {
  test('writes each of them, and acknowledges the message once', async () => {
    const ids: string[] = []
    const write: OutputStore['write'] = async (records) => {
      ids.push(...records.map(({ id }) => id))
      return records.map(({ id }) => ({ id, stored: true }))
    }
    const { outcome, answers } = await run({ write }, [
      delivery(sampleLogBatch(['one', 'two'])),
      delivery(sampleLog('alone')),
    ])
    expect(ids).toEqual(['n/0', 'n/1', 'alone'])
    expect(answers).toEqual(['ack', 'ack'])
    expect(outcome).toMatchObject({ stored: 3, hasLogs: true, setAside: [], returned: 0 })
  })

  test('sets the line aside that the store refuses, and keeps the others', async () => {
    const aside: [string, string][] = []
    const { outcome, answers } = await run(
      {
        write: async (records) =>
          records.map(({ id }) =>
            id === 'n/1' ? { id, stored: false, reason: 'no date' } : { id, stored: true },
          ),
        setAside: async (messages) =>
          void aside.push(
            ...messages.map(({ id, payload }): [string, string] => [
              id,
              Buffer.from(payload).toString(),
            ]),
          ),
      },
      [delivery(sampleLogBatch(['one', 'two', 'three']))],
    )
    expect(answers).toEqual(['term'])
    expect(outcome).toMatchObject({ stored: 2, setAside: ['no date'] })
    expect(aside).toEqual([['OUT_demo/1@1/1', expect.stringContaining('"message":"two"')]])
    expect(JSON.parse(aside[0]?.[1] ?? '')).toMatchObject({ kind: 'log', id: 'n/1' })
  })

  test('gives the message back whole while one line breaks the write, and sets that aside in the end', async () => {
    const write: OutputStore['write'] = async (records) => {
      if (records.some(({ id }) => id === 'n/0')) throw new Error('boom')
      return records.map(({ id }) => ({ id, stored: true }))
    }
    const lines = sampleLogBatch(['poison', 'fine'])
    const young = await run({ write }, [delivery(lines), delivery(sampleLog('neighbour'))])
    expect(young.answers).toEqual(['nak 70', 'ack'])
    expect(young.outcome).toMatchObject({ stored: 2, returned: 1, setAside: [] })
    const old = await run({ write }, [delivery(lines, POISON_ATTEMPTS_MAX)])
    expect(old.answers).toEqual(['term'])
    expect(old.outcome).toMatchObject({ stored: 1, setAside: [expect.stringContaining('boom')] })
  })

  test('writes some hundred at a time, and lets others of the process have their turn between', async () => {
    const writes: number[] = []
    let turns = 0
    const count = () => void (turns = writes.length)
    const write: OutputStore['write'] = async (records) => {
      writes.push(records.length)
      if (writes.length === 1) setImmediate(count)
      return records.map(({ id }) => ({ id, stored: true }))
    }
    const many = Array.from({ length: 400 }, (_, n) => `${n}`)
    const { outcome, answers } = await run(
      { write },
      Array.from({ length: 6 }, () => delivery(sampleLogBatch(many))),
    )
    expect(writes).toEqual([800, 800, 800])
    expect(turns).toBe(1)
    expect(answers).toEqual(Array<string>(6).fill('ack'))
    expect(outcome.stored).toBe(2_400)
  })

  test('stops when the store is away: what is behind comes again without having been tried', async () => {
    let writes = 0
    const write = async (): Promise<never> => {
      writes += 1
      throw new KreError('unavailable', 'down')
    }
    const many = Array.from({ length: 600 }, (_, n) => `${n}`)
    const { outcome, answers } = await run(
      { write },
      Array.from({ length: 3 }, () => delivery(sampleLogBatch(many))),
    )
    expect(writes).toBe(1)
    expect(answers).toEqual(Array<string>(3).fill('nak 70'))
    expect(outcome).toMatchObject({ stored: 0, returned: 3 })
  })
})
