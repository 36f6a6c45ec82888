import { KreError } from '@kre/contracts/runtime'

/** A line of the protocol has 4,096 bytes at most; the rest is for the operation and its numbers. */
const SUBJECTS_LENGTH_MAX = 4_000

/**
 * Whether a text can be a subject or a queue's name: visible ASCII signs, without which a line could be forged.
 * Names of KRE are narrower than that (`names.ts`).
 */
export function isSubject(text: string): boolean {
  return /^[!-~]+$/.test(text) && text.length <= SUBJECTS_LENGTH_MAX
}

/** @throws KreError `invalid-argument` for what `isSubject` refuses. */
export function checkSubject(text: string, what: string): void {
  if (!isSubject(text)) throw refusedSubject(text, what)
}

/** @throws KreError `invalid-argument` when a message's subjects do not fit into one line. */
export function checkLength(length: number): void {
  if (length <= SUBJECTS_LENGTH_MAX) return
  throw new KreError(
    'invalid-argument',
    `the subjects of a message have ${length} signs; NATS takes at most ${SUBJECTS_LENGTH_MAX}`,
    { length },
  )
}

export function refusedSubject(text: string, what: string): KreError {
  const shown = JSON.stringify(text.slice(0, 100))
  return new KreError(
    'invalid-argument',
    `${shown} can't be a ${what}: it must have one or more visible ASCII signs, without spaces`,
  )
}
