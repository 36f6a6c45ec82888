/** Path templates of google.api.http: `/v1/{name=shelves/*}/books/{book.id}:archive`. */
import { KreError } from '@kre/contracts/runtime'

export type PathTemplate = {
  readonly parts: readonly PathPart[]
  /** Behind the last `:`; empty = none. */
  readonly verb: string
  readonly variables: readonly PathVariable[]
}

/** One segment: `*` = any, `**` = any number of them, only at the end. */
export type PathPart = { readonly kind: 'literal' | '*' | '**'; readonly text: string }

export type PathVariable = {
  /** Field path from the request's message. */
  readonly field: readonly string[]
  /** Index of its first part, and of the first behind it. */
  readonly start: number
  readonly end: number
}

/** By field path, dots between. */
export type PathValues = { readonly field: readonly string[]; readonly text: string }[]

const SEGMENTS_MAX = 64

/** @throws KreError `invalid-argument` that says what is wrong with the template. */
export function parsePathTemplate(template: string): PathTemplate {
  const wrong = (why: string) =>
    new KreError('invalid-argument', `path template "${template}" ${why}`)
  if (!template.startsWith('/')) throw wrong('does not begin with "/"')
  const { rest, verb } = splitVerb(template.slice(1))
  const parts: PathPart[] = []
  const variables: PathVariable[] = []
  const addParts = (text: string) => {
    for (const segment of text.split('/')) {
      if (segment === '' || /[{}]/.test(segment)) throw wrong(`has a segment "${segment}"`)
      const kind = segment === '*' || segment === '**' ? segment : 'literal'
      parts.push({ kind, text: kind === 'literal' ? decodeLiteral(segment, wrong) : '' })
    }
  }
  const tokens = splitSegments(rest)
  if (rest !== '' && tokens.join('/') !== rest)
    throw wrong('has an empty segment, or braces that do not match')
  for (const token of tokens) {
    if (!token.startsWith('{')) {
      addParts(token)
      continue
    }
    const [, field, segments = '*'] = /^\{([A-Za-z_][\w.]*)(?:=([^{}]+))?\}$/.exec(token) ?? []
    if (field === undefined) throw wrong(`has a variable "${token}"`)
    const start = parts.length
    addParts(segments)
    variables.push({ field: field.split('.'), start, end: parts.length })
  }
  if (parts.length > SEGMENTS_MAX) throw wrong(`has more than ${SEGMENTS_MAX} segments`)
  if (parts.some(({ kind }, i) => kind === '**' && i < parts.length - 1))
    throw wrong('has ** before its end')
  return { parts, verb, variables }
}

/** @returns the values of the variables; null when the path is another one. @throws URIError for a wrong escape. */
export function matchPath(template: PathTemplate, path: string): PathValues | null {
  const { parts, variables } = template
  let rest = path.slice(1)
  if (template.verb !== '') {
    if (!rest.endsWith(`:${template.verb}`)) return null
    rest = rest.slice(0, -template.verb.length - 1)
  }
  const segments = rest === '' ? [] : rest.split('/')
  const isOpen = parts.at(-1)?.kind === '**'
  if (isOpen ? segments.length < parts.length - 1 : segments.length !== parts.length) return null
  for (const [i, part] of parts.entries()) {
    if (part.kind === '**') break
    const segment = segments[i] ?? ''
    if (part.kind === '*' ? segment === '' : decode(segment) !== part.text) return null
  }
  return variables.map(({ field, start, end }) => {
    const isLast = isOpen && end === parts.length
    const values = segments.slice(start, isLast ? undefined : end)
    const isSingle = end - start === 1 && parts[start]?.kind !== '**'
    return { field, text: values.map(isSingle ? decode : decodeUnreserved).join('/') }
  })
}

/** Higher is more specific: literals before wildcards, from left to right. */
export function compareTemplates(a: PathTemplate, b: PathTemplate): number {
  const rank = { literal: 0, '*': 1, '**': 2 } as const
  for (let i = 0; i < Math.min(a.parts.length, b.parts.length); i++) {
    const difference = rank[a.parts[i]?.kind ?? '*'] - rank[b.parts[i]?.kind ?? '*']
    if (difference !== 0) return difference
  }
  if (a.verb !== b.verb) return a.verb === '' ? 1 : -1
  return b.parts.length - a.parts.length
}

/** A verb is behind a colon of the last segment, outside of a variable. */
function splitVerb(text: string): { rest: string; verb: string } {
  const [, rest = text, verb = ''] = /^(.*):([^:/{}]+)$/s.exec(text) ?? []
  return { rest, verb }
}

/** At the slashes that are in no variable. */
function splitSegments(text: string): string[] {
  return text.match(/(?:\{[^{}]*\}|[^/{}])+/g) ?? []
}

function decodeLiteral(segment: string, wrong: (why: string) => KreError): string {
  try {
    return decode(segment)
  } catch {
    throw wrong(`has a segment "${segment}", whose escapes are no UTF-8`)
  }
}

function decode(segment: string): string {
  return segment.includes('%') ? decodeURIComponent(segment) : segment
}

/** A value of several segments keeps an escaped slash, or it would become one more of them. */
function decodeUnreserved(segment: string): string {
  return segment
    .split(/(%2[fF])/)
    .map((piece) => (/^%2f$/i.test(piece) ? piece : decode(piece)))
    .join('')
}
