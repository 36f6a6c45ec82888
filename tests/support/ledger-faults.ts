/** What the tests of faults have in common. */
import { waitUntil } from '@kre/service-kit'
import { packChain } from './ledger-bundle.ts'
import type { TestEngine } from './ledger-engine.ts'
import { startLoad, type RawClient, type Tally } from './ledger.ts'

export const RUNTIME = 'faults'
/** Room for a loaded machine; nothing here is slow when all is well. */
export const PATIENCE_MS = 180_000

/** Uploads a chain and brings it to STARTED. @returns the version's address. */
export async function run(
  engine: TestEngine,
  version: string,
  runtimeId = RUNTIME,
): Promise<string> {
  const { status: answered, body } = await engine.upload(runtimeId, await packChain(version))
  if (answered !== 201) throw new Error(JSON.stringify(body))
  await engine.operate('start', runtimeId, version)
  return (await engine.reach(runtimeId, version, 'STARTED')).entrypointAddress
}

/** Asks all the time, from well before `fault` until answers to requests after it have come. */
export async function underLoad(client: RawClient, fault: () => Promise<unknown>): Promise<Tally> {
  const load = startLoad(client, { perSecond: 60, trail: 'abc' })
  const answers = async (more: number) => {
    const wanted = load.answered() + more
    await waitUntil('answers', async () => load.answered() >= wanted)
  }
  try {
    await answers(30)
    await fault()
    await answers(60)
  } finally {
    // Whatever happened, nothing goes on asking.
    load.stop()
  }
  return load.tally()
}

/** A tally in which every request got its own answer. */
export const FLAWLESS = { failed: {}, wrong: [], silent: 0 }
