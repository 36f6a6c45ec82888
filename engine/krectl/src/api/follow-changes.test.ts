import { describe, expect, test } from '@jest/globals'
import type { AdminClient } from './admin-client.ts'
import { followChanges } from './follow-changes.ts'

const stream = { document: 'subscription { x }', variables: {} }

/** A client whose only stream is played by `play`. */
function clientOf(
  play: (
    emit: (event: string) => void,
    open: () => void,
    signal: AbortSignal,
  ) => Promise<void> | void,
): AdminClient {
  return {
    subscribe: async (
      _document: string,
      _variables: unknown,
      onEvent: (event: never) => void,
      signal: AbortSignal,
      onOpen: () => void,
    ) => play((event) => onEvent(event as never), onOpen, signal),
  } as Partial<AdminClient> as AdminClient
}

async function follow(client: AdminClient, present: (seen: string[]) => Promise<void> | void) {
  const seen: string[] = []
  const ended = new AbortController()
  const following = followChanges<string>(
    client,
    stream,
    { present: async () => present(seen), onEvent: (event) => void seen.push(event) },
    ended.signal,
  )
  return { seen, ended, following }
}

describe('following changes', () => {
  test('shows what is there before what came meanwhile, and begins when the stream is open', async () => {
    let emitNow: (event: string) => void = () => undefined
    const client = clientOf((emit, open) => {
      emitNow = emit
      open()
      emit('while it was read')
    })
    const { seen, following } = await follow(client, (shown) => {
      emitNow('at the same time')
      shown.push('what is there')
    })
    await following
    expect(seen).toEqual(['what is there', 'while it was read', 'at the same time'])
  })

  test('shows nothing where the stream is refused', async () => {
    const client = clientOf(() => {
      throw new Error('refused')
    })
    const { seen, following } = await follow(client, (shown) => void shown.push('shown'))
    await expect(following).rejects.toThrow('refused')
    expect(seen).toEqual([])
  })

  test('ends the stream where what is there can not be read', async () => {
    let streamSignal: AbortSignal | null = null
    const client = clientOf(async (_emit, open, signal) => {
      streamSignal = signal
      open()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    })
    const { following } = await follow(client, () => {
      throw new Error('not there')
    })
    await expect(following).rejects.toThrow('not there')
    expect(streamSignal).toMatchObject({ aborted: true })
  })

  test('ends without an error when it is asked to', async () => {
    const client = clientOf(async (_emit, open, signal) => {
      open()
      await new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('aborted'))),
      )
    })
    const { ended, following } = await follow(client, () => undefined)
    ended.abort()
    await following
  })
})
