import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@kre/contracts'
import type { AttemptStore } from '@kre/store'
import { addressBlock } from './address-block.ts'
import type { HashToken } from './tokens.ts'

type Limit = { readonly name: string; readonly max: number; readonly windowMs: number }

/** Wrong tokens of one network address. */
const WRONG_CREDENTIALS: Limit = { name: 'wrong', max: 10, windowMs: MINUTE_MS }
/** Mails that one network address may ask for, … */
const MAILS_BY_CALLER: Limit = { name: 'mails', max: 30, windowMs: HOUR_MS }
/** … to one e-mail address, … */
const MAILS_TO_ADDRESS_BY_CALLER: Limit = { name: 'mail', max: 5, windowMs: 10 * MINUTE_MS }
/** … and to one e-mail address by all: more than that, so that one stranger can't keep its owner from signing in. */
const MAILS_TO_ADDRESS: Limit = { name: 'to', max: 15, windowMs: 10 * MINUTE_MS }

/** Callers over a limit that are remembered, so that their floods cost no write. */
const REFUSED_MAX = 10_000

/** Each counts one use and returns the seconds to wait when there were too many, else 0. */
export type RateLimits = {
  /** Only failures are counted and only failures are refused: a caller with a right token is never locked out. */
  wrongCredential(address: string): Promise<number>
  /** @param address network address of who asks. */
  mail(email: string, address: string): Promise<number>
}

/** Limits that outlive the process. E-mail addresses are kept as hashes only. */
export function createRateLimits(deps: {
  attempts: AttemptStore
  now: () => Date
  hashToken: HashToken
}): RateLimits {
  const { attempts, now, hashToken } = deps
  const refusedUntil = new Map<string, number>()

  async function count({ name, max, windowMs }: Limit, of: string): Promise<number> {
    const key = `${name}/${of}`
    const at = now()
    const known = refusedUntil.get(key)
    if (known !== undefined && known > at.getTime()) return seconds(known - at.getTime())
    refusedUntil.delete(key)
    const counter = await attempts.add(key, new Date(at.getTime() + windowMs), at)
    if (counter.count <= max) return 0
    const endsMs = counter.expiresAt.getTime()
    refusedUntil.set(key, endsMs)
    const oldest = refusedUntil.keys().next()
    if (refusedUntil.size > REFUSED_MAX && oldest.done !== true) refusedUntil.delete(oldest.value)
    return seconds(endsMs - at.getTime())
  }

  return {
    wrongCredential: (address) => count(WRONG_CREDENTIALS, addressBlock(address)),
    async mail(email, address) {
      const [to, by] = [hashToken(email), addressBlock(address)]
      // A caller who is over a limit of its own uses up nothing of others.
      return (
        (await count(MAILS_BY_CALLER, by)) ||
        (await count(MAILS_TO_ADDRESS_BY_CALLER, `${to}/${by}`)) ||
        (await count(MAILS_TO_ADDRESS, to))
      )
    },
  }
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / SECOND_MS))
}
