import { expect, test } from '@jest/globals'
import { listen } from './listen.ts'

test('keeps a connection for longer than a busy computer stands still, and than proxies keep theirs', async () => {
  const listening = await listen(
    (_req, res) => void res.end(),
    { host: '127.0.0.1', port: 0 },
    () => undefined,
  )
  try {
    const { headers } = await fetch(listening.address)
    const seconds = /^timeout=(\d+)$/.exec(headers.get('keep-alive') ?? '')?.[1]
    expect(Number(seconds)).toBeGreaterThan(60)
  } finally {
    await listening.close()
  }
})
