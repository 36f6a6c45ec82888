/** The access of a process over its life: credentials expire, and whoever started the process puts newer ones into a file. */
import { readFileSync } from 'node:fs'
import { type NatsAccess, NatsRenewal, SECOND_MS, toKreError } from '@kre/contracts/runtime'

/** From here on, as a share of their life, newer credentials are looked for. */
const LOOK_FROM = 0.5
/** Looks per life, within bounds. */
const LOOKS = 20
const LOOK_MS_MIN = 100
const LOOK_MS_MAX = 60 * SECOND_MS

export type AccessSource = {
  /** The newest that are known. */
  current(): NatsAccess
  /** Reads the file. @returns whether there are newer ones. */
  look(): boolean
  /**
   * Looks from time to time, as soon as those in use are half over.
   *
   * @returns the end of it.
   */
  watch(onRenewed: () => void): () => void
  /** Whether those in use are over, so that a refusal is no surprise. */
  isExpired(): boolean
}

/** @param onDamaged a file was there and could not be used. */
export function createAccessSource(
  access: NatsAccess,
  onDamaged: (error: Error) => void,
): AccessSource {
  const { tls: _, ...place } = access
  let current = access
  let takenAtUnixMs = Date.now()
  const path = access.credentials?.renewalPath

  const look = (): boolean => {
    const next = path === undefined ? null : read(path, onDamaged)
    const isNewer =
      next !== null &&
      (next.expiresUnixMs ?? Infinity) > (current.credentials?.expiresUnixMs ?? Infinity)
    if (!isNewer) return false
    const { tls, ...credentials } = next
    current = { ...place, credentials, ...(tls === undefined ? {} : { tls }) }
    takenAtUnixMs = Date.now()
    return true
  }
  const lifeMs = () => (current.credentials?.expiresUnixMs ?? Infinity) - takenAtUnixMs

  return {
    current: () => current,
    look,
    watch(onRenewed) {
      if (path === undefined) return () => undefined
      let timer: NodeJS.Timeout
      const again = () => {
        const everyMs = Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, lifeMs() / LOOKS))
        timer = setTimeout(check, everyMs).unref()
      }
      const check = () => {
        const isDue = Date.now() - takenAtUnixMs >= lifeMs() * LOOK_FROM
        if (isDue && look()) onRenewed()
        again()
      }
      again()
      return () => clearTimeout(timer)
    },
    isExpired: () => (current.credentials?.expiresUnixMs ?? Infinity) <= Date.now(),
  }
}

/** Null while there is none. */
function read(path: string, onDamaged: (error: Error) => void): NatsRenewal | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return null // not written yet
  }
  try {
    return NatsRenewal.parse(JSON.parse(text))
  } catch (error) {
    onDamaged(toKreError(error))
    return null
  }
}
