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
  let takenAt = { unixMs: Date.now(), steadyMs: performance.now() }
  const path = access.credentials?.renewalPath
  /** Of a process before this one. */
  const leftOver = path === undefined ? undefined : read(path, () => undefined)?.jwt

  const lifeMs = () => (current.credentials?.expiresUnixMs ?? Infinity) - takenAt.unixMs
  /** By the wall clock, which may be set, or by one that nobody sets: by the one that says more. */
  const isPast = (share: number) =>
    Math.max(Date.now() - takenAt.unixMs, performance.now() - takenAt.steadyMs) >= lifeMs() * share
  /** Credentials of an engine whose clock was set back end earlier than those before, and are newer all the same. */
  const isOther = ({ jwt }: NatsRenewal) =>
    isPast(LOOK_FROM) && jwt !== leftOver && jwt !== current.credentials?.jwt

  const look = (): boolean => {
    const next = path === undefined ? null : read(path, onDamaged)
    const isNewer =
      next !== null &&
      ((next.expiresUnixMs ?? Infinity) > (current.credentials?.expiresUnixMs ?? Infinity) ||
        isOther(next))
    if (!isNewer) return false
    const { tls, ...credentials } = next
    current = { ...place, credentials, ...(tls === undefined ? {} : { tls }) }
    takenAt = { unixMs: Date.now(), steadyMs: performance.now() }
    return true
  }

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
        if (isPast(LOOK_FROM) && look()) onRenewed()
        again()
      }
      again()
      return () => clearTimeout(timer)
    },
    isExpired: () => isPast(1),
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
