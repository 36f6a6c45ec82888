import { ENTRYPOINT, RESOURCE_NAME_CHARS_MAX } from '../names.ts'
import type { DocumentPath } from './document-path.ts'
import type { Report } from './issue-collector.ts'
import { DISPLAY_NAME_CHARS_MAX } from './limits.ts'

/** `Execute DL Model` -> `execute-dl-model`: lower case, runs of other characters become one "-", trimmed. */
export function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

const DISPLAY_NAME = /^[A-Za-z0-9 _-]+$/

/**
 * Checks the name of a version, workflow or node.
 *
 * @returns its id, also of a name that was reported, so that references to it still resolve; null without a name.
 */
export function checkName(
  name: string | undefined,
  what: 'version' | 'workflow' | 'node',
  path: DocumentPath,
  report: Report,
): string | null {
  if (name === undefined) return null
  const id = slug(name)
  const shown = `${what} name "${name.length > 60 ? `${name.slice(0, 57)}...` : name}"`
  if (!DISPLAY_NAME.test(name) || id === '') {
    const message = `${shown} is not legal: letters, digits, spaces, "-" and "_" are, with a letter or digit among them`
    const hint = id === '' ? 'choose another name' : `write "${shortenId(id)}"`
    report.add({ code: 'NAME_INVALID', path, message, hint })
  } else if (name.length > DISPLAY_NAME_CHARS_MAX) {
    const message = `${shown} has ${name.length} characters, ${DISPLAY_NAME_CHARS_MAX} are allowed`
    report.add({ code: 'NAME_TOO_LONG', path, message, hint: `write "${shortenId(id)}"` })
  } else if (id.length > RESOURCE_NAME_CHARS_MAX) {
    const message = `${shown} makes the id "${id}" of ${id.length} characters, ${RESOURCE_NAME_CHARS_MAX} are allowed`
    report.add({
      code: 'NAME_TOO_LONG',
      path,
      message,
      hint: `shorten it, for example to "${shortenId(id)}"`,
    })
  } else if (what === 'node' && id === ENTRYPOINT) {
    const message = `${shown} is reserved for the incoming request`
    report.add({ code: 'NAME_INVALID', path, message, hint: 'choose another name' })
  }
  return id
}

function shortenId(id: string): string {
  return id.slice(0, RESOURCE_NAME_CHARS_MAX).replace(/-$/, '')
}

/** A named thing of a scope, and where its name stands. */
export type NamedThing = { name: string; id: string; path: DocumentPath }

/** Reports every name whose id another thing of the scope had before it. */
export function checkUniqueNames(
  things: readonly NamedThing[],
  what: 'workflow' | 'node',
  scope: string,
  report: Report,
): void {
  const byId = new Map<string, NamedThing>()
  for (const thing of things) {
    const first = byId.get(thing.id)
    if (first === undefined) {
      byId.set(thing.id, thing)
      continue
    }
    const names =
      first.name === thing.name
        ? `two ${what}s${scope} are named "${thing.name}"`
        : `${what}s "${first.name}" and "${thing.name}"${scope} have the same id "${thing.id}"`
    report.add({
      code: 'NAME_DUPLICATE',
      path: thing.path,
      message: `${names}: ${report.place(first.path)} and ${report.place(thing.path)}`,
      hint: 'rename one of them',
    })
  }
}
