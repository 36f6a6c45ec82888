import { OUTPUT_KINDS, RESOURCE_NAME, type OutputKind } from '@kre/contracts'

/** Who sent an output, by the subject: the broker checks subjects against credentials, and nobody checks contents. */
export type OutputSubject = {
  runtimeId: string
  version: string
  /** Null = a process of the version itself. */
  workflow: string | null
  kind: OutputKind
}

/** The reverse of `outputSubject()`: `x.<rt>.<ver>.<wf>.o.<kind>`; null = not such a subject. */
export function parseOutputSubject(subject: string): OutputSubject | null {
  const [x, runtimeId = '', version = '', workflow = '', o, kind, ...more] = subject.split('.')
  if (x !== 'x' || o !== 'o' || more.length > 0) return null
  const known = OUTPUT_KINDS.find((name) => name === kind)
  if (known === undefined) return null
  if (!RESOURCE_NAME.test(runtimeId) || !RESOURCE_NAME.test(version)) return null
  if (workflow !== '_v' && !RESOURCE_NAME.test(workflow)) return null
  return { runtimeId, version, workflow: workflow === '_v' ? null : workflow, kind: known }
}
