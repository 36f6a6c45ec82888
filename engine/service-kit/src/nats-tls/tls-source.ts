import { createHash } from 'node:crypto'
import { type KreError, type NatsTls, SECOND_MS, toKreError } from '@kre/contracts'
import { type NatsTlsSettings, readNatsTls } from './tls-settings.ts'

/** Files are not looked at more often; who makes a connection may wait so long for newer ones. */
const LOOK_MS = 5 * SECOND_MS

/** What is in the files now, as somebody renews them. */
export type NatsTlsSource = {
  /** With the engine's own key. */
  engine(): NatsTls
  /** Of processes of versions. */
  versions(): NatsTls
  /** Another text whenever `versions` is another. */
  digest(): string
}

export type NatsTlsSourceOptions = {
  /** Files can't be used any more, told once for each reason; those of before are used meanwhile. */
  readonly onProblem: (error: KreError) => void
  /**
   * How long authorities are trusted beside those that take their place in the file, in ms: where servers get the
   * certificates of the next ones with the same stroke, and show those of before until they are told to look.
   */
  readonly overlapMs?: number
  readonly now?: () => number
}

/** @throws KreError `failed-precondition` for files that can't be used from the start. */
export function createNatsTlsSource(
  settings: NatsTlsSettings,
  { onProblem, overlapMs = 0, now = () => performance.now() }: NatsTlsSourceOptions,
): NatsTlsSource {
  let told = ''
  const read = () => ({
    engine: readNatsTls(settings, 'engine'),
    versions: readNatsTls(settings, 'versions'),
  })
  let known = read()
  let lookedAt = now()
  let former = { ca: '', until: -Infinity }
  const withFormer = (tls: NatsTls): NatsTls =>
    tls.ca === undefined || former.until <= now() ? tls : { ...tls, ca: tls.ca + former.ca }
  const look = () => {
    if (now() - lookedAt < LOOK_MS) return known
    lookedAt = now()
    try {
      const before = known.engine.ca
      known = read()
      if (before !== undefined && before !== known.engine.ca)
        former = { ca: `\n${before}`, until: now() + overlapMs }
      told = ''
    } catch (error) {
      const problem = toKreError(error)
      if (problem.message !== told) onProblem(problem)
      told = problem.message
    }
    return known
  }
  return {
    engine: () => withFormer(look().engine),
    versions: () => withFormer(look().versions),
    digest: () =>
      createHash('sha256')
        .update(JSON.stringify(withFormer(look().versions)))
        .digest('base64url'),
  }
}
