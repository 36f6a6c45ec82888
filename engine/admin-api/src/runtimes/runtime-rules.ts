import { KreError } from '@kre/contracts'
import { legalText } from '../legal-text.ts'
import { quoted } from '../text.ts'

/** Runtime ids become parts of subjects, database names and DNS labels. */
export const RUNTIME_ID_CHARS_MIN = 3
export const RUNTIME_ID_CHARS_MAX = 15
export const RUNTIME_NAME_CHARS_MAX = 40
export const RUNTIME_DESCRIPTION_CHARS_MAX = 500

const SLUG = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
/** Names of the engine's own and of MongoDB's own databases. */
const RESERVED_IDS: ReadonlySet<string> = new Set(['kre', 'admin', 'config', 'local'])
/** A runtime's data lives in the database `<id>-data`, which must not be another runtime's. */
const RESERVED_SUFFIX = '-data'

export type RuntimeTexts = { readonly name: string; readonly description: string }
export type RuntimeFields = RuntimeTexts & { readonly id: string }

/** @throws KreError `invalid-argument` with the field and its rule. */
export function checkRuntime({ id, name, description }: RuntimeFields): RuntimeFields {
  checkId(id)
  return { id, name: checkName(name), description: checkDescription(description) }
}

/** The texts that change, by the same rules. What stays may be older than they are. */
export function checkTexts(changes: {
  readonly name: string | null
  readonly description: string | null
}): Partial<RuntimeTexts> {
  const { name, description } = changes
  return {
    ...(name === null ? {} : { name: checkName(name) }),
    ...(description === null ? {} : { description: checkDescription(description) }),
  }
}

function checkId(id: string): void {
  if (id.length < RUNTIME_ID_CHARS_MIN || id.length > RUNTIME_ID_CHARS_MAX)
    throw invalid('id', `${quoted(id)} has ${id.length} characters: use 3 to 15`)
  if (!SLUG.test(id))
    throw invalid(
      'id',
      `${quoted(id)} is not legal: use a-z, 0-9 and single hyphens inside, and begin with a letter`,
    )
  if (RESERVED_IDS.has(id)) throw invalid('id', `${quoted(id)} is reserved: use another one`)
  if (id.endsWith(RESERVED_SUFFIX))
    throw invalid('id', `${quoted(id)} ends with "${RESERVED_SUFFIX}", which is reserved`)
}

function checkName(name: string): string {
  return legalText(name, {
    charsMax: RUNTIME_NAME_CHARS_MAX,
    lines: false,
    invalid: (what) => invalid('name', what),
  })
}

function checkDescription(description: string): string {
  return legalText(description, {
    charsMax: RUNTIME_DESCRIPTION_CHARS_MAX,
    lines: true,
    invalid: (what) => invalid('description', what),
  })
}

function invalid(field: string, what: string): KreError {
  return new KreError('invalid-argument', `the runtime's ${field} is not legal: ${what}`, { field })
}
