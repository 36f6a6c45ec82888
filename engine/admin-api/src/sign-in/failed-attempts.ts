import { MINUTE_MS } from '@kre/contracts'

/** Wrong tokens that an address may send per minute before it is told to wait. */
export const FAILED_ATTEMPTS_MAX = 10
/** Addresses remembered; beyond it the oldest is forgotten, so a flood of addresses costs no memory. */
const ADDRESSES_MAX = 10_000

export type FailedAttempts = {
  /** Counts one. @returns seconds to wait when the address sent too many, else 0. */
  add(address: string): number
}

/** Only failures are counted and only failures are refused: a caller with a right token is never locked out. */
export function createFailedAttempts(now: () => Date): FailedAttempts {
  const windows = new Map<string, { endsMs: number; failures: number }>()
  return {
    add(address) {
      const key = addressBlock(address)
      const nowMs = now().getTime()
      const current = windows.get(key)
      const window =
        current === undefined || current.endsMs <= nowMs
          ? { endsMs: nowMs + MINUTE_MS, failures: 0 }
          : current
      window.failures += 1
      windows.delete(key)
      windows.set(key, window)
      const oldest = windows.keys().next()
      if (windows.size > ADDRESSES_MAX && oldest.done !== true) windows.delete(oldest.value)
      if (window.failures <= FAILED_ATTEMPTS_MAX) return 0
      return Math.max(1, Math.ceil((window.endsMs - nowMs) / 1_000))
    },
  }
}

/** An IPv6 caller owns a /64, so that is one address here; IPv4 inside IPv6 counts as IPv4. */
function addressBlock(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const tailGroups = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - groups.length - tailGroups.length
  const all = [...groups, ...Array<string>(Math.max(0, zeros)).fill('0'), ...tailGroups]
  return all.slice(0, 4).join(':')
}
