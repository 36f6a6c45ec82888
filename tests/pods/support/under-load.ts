import { waitUntil } from '@kre/service-kit'
import { connectRaw, startLoad, type Tally } from '../../support/ledger.ts'

const PER_SECOND = 30
const PATIENCE = { timeoutMs: 60_000 }

/**
 * Asks at an address all the time, from well before something happens until answers to requests after it have come.
 *
 * @param trail what every answer has to have passed.
 * @returns what became of every request.
 */
export async function underLoad(
  address: string,
  trail: string,
  happens: () => Promise<unknown>,
): Promise<Tally> {
  using client = connectRaw(address)
  const load = startLoad(client, { perSecond: PER_SECOND, trail, deadlineMs: 20_000 })
  const answers = async (more: number) => {
    const wanted = load.answered() + more
    await waitUntil('answers', () => load.answered() >= wanted, PATIENCE)
  }
  try {
    await answers(PER_SECOND)
    await happens()
    await answers(2 * PER_SECOND)
  } finally {
    // Whatever happened, nothing goes on asking.
    load.stop()
  }
  return load.tally()
}
