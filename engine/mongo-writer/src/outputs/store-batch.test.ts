import { describe, expect, test } from '@jest/globals'
import { KreError } from '@kre/contracts'
import type { OutputStore } from '@kre/store'
import { sampleLog } from '@kre/store/testing'
import type { Delivery } from '../stream/delivery.ts'
import { POISON_ATTEMPTS_MAX, storeBatch } from './store-batch.ts'

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
    expect(told).toEqual([null, null, expect.stringContaining('not an output')])
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
    expect(outcome).toMatchObject({ stored: [], returned: 2, failure })
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
