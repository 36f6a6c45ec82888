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

/**
 * @param onProblem files can't be used any more, told once for each reason; those of before are used meanwhile.
 * @throws KreError `failed-precondition` for files that can't be used from the start.
 */
export function createNatsTlsSource(
  settings: NatsTlsSettings,
  onProblem: (error: KreError) => void,
  now: () => number = () => performance.now(),
): NatsTlsSource {
  let told = ''
  const read = () => ({
    engine: readNatsTls(settings, 'engine'),
    versions: readNatsTls(settings, 'versions'),
  })
  let known = read()
  let lookedAt = now()
  const look = () => {
    if (now() - lookedAt < LOOK_MS) return known
    lookedAt = now()
    try {
      known = read()
      told = ''
    } catch (error) {
      const problem = toKreError(error)
      if (problem.message !== told) onProblem(problem)
      told = problem.message
    }
    return known
  }
  return {
    engine: () => look().engine,
    versions: () => look().versions,
    digest: () => createHash('sha256').update(JSON.stringify(look().versions)).digest('base64url'),
  }
}
