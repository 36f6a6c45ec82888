/** The same with an hour: `npm run bench:scale -- loss --minutes 60`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { loseEngine } from './lose-engine.ts'

jest.setTimeout(120_000)

/** Renewed after 4.8 s; processes take the new ones into use from 6 s on, when no engine is there any more. */
const CREDENTIALS_MS = 12_000

test('a version answers every call while no engine is there, also when its credentials change', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kre-loss-'))
  try {
    const report = await loseEngine({
      dir,
      minutes: 7 / 60,
      callsPerSecond: 50,
      credentialsMs: CREDENTIALS_MS,
      say: () => undefined,
      signal: new AbortController().signal,
    })
    // Credentials so short end before the next engine is up, so what it takes over is not asked here.
    expect(report).toMatchObject({ calls: 350, failures: {} })
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
