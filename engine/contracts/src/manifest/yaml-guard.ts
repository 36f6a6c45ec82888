/** What a manifest must pass before a YAML parser may build anything from it: size, characters, depth, directives. */
import { CST, Lexer } from 'yaml'
import { KiB } from '../units.ts'
import { findControlCharacter } from './control-characters.ts'
import type { IssueCode } from './issue-codes.ts'

/** Parsers spend hundreds of megabytes on longer input; the longest manifest in the wild has 9 KiB. */
export const MANIFEST_BYTES_MAX = 256 * KiB
/** Nested collections, the root included. A complete manifest has 7. */
export const YAML_DEPTH_MAX = 12

/** Words and signs. Dense manifests of 256 KiB have 67,000; the parser keeps some KiB for each one that it can't place. */
export const YAML_TOKENS_MAX = 80_000

/** A problem at an offset of the text. */
export type TextFault = {
  code: IssueCode
  offset: number
  message: string
  hint?: string
  /** Nothing can be read after it. */
  fatal: boolean
}

/** @param text without its byte order mark. */
export function guardYaml(text: string): TextFault[] {
  const early = findSizeFault(text) ?? findCharacterFault(text)
  return early === null ? scanTokens(text) : [early]
}

/** False for text that may not even be parsed. A byte order mark in front is no fault. */
export function isReadableYaml(source: string): boolean {
  const text = source.startsWith('\ufeff') ? source.slice(1) : source
  return !guardYaml(text).some(({ fatal }) => fatal)
}

function findSizeFault(text: string): TextFault | null {
  const bytes =
    text.length > MANIFEST_BYTES_MAX ? text.length : new TextEncoder().encode(text).length
  if (bytes <= MANIFEST_BYTES_MAX) return null
  return {
    code: 'YAML_TOO_LARGE',
    offset: 0,
    message: `the manifest has ${bytes} bytes, ${MANIFEST_BYTES_MAX} are allowed`,
    hint: 'move data into files of the bundle',
    fatal: true,
  }
}

/** U+FFFD is what a decoder leaves where bytes were not UTF-8; two of them begin a UTF-16 file. */
function findCharacterFault(text: string): TextFault | null {
  const fault = findControlCharacter(text) ?? findBrokenCharacter(text)
  if (fault === null) return null
  const isUtf16 = text.slice(0, 3).includes('\0') || text.startsWith('\ufffd\ufffd')
  return {
    code: 'YAML_ENCODING',
    offset: isUtf16 ? 0 : fault.index,
    message: isUtf16
      ? 'the manifest is not UTF-8; it looks like UTF-16'
      : `the manifest holds ${fault.name}`,
    hint: 'save the file as UTF-8',
    fatal: true,
  }
}

function findBrokenCharacter(text: string): { index: number; name: string } | null {
  const match = /\r(?!\n)|[\ufffd\ufffe]|\p{Surrogate}/u.exec(text)
  if (match === null) return null
  const name =
    match[0] === '\r' ? 'a carriage return that ends no line' : 'bytes that are not UTF-8'
  return { index: match.index, name }
}

/** One pass over the tokens, which needs no recursion: the parser behind it does. */
function scanTokens(text: string): TextFault[] {
  const faults: TextFault[] = []
  let offset = 0
  let count = 0
  let flowDepth = 0
  let indicatorsInLine = 0
  let isScalar = false
  for (const token of new Lexer().lex(text)) {
    // Marks that stand for no characters of the text.
    if (token === CST.DOCUMENT || token === CST.FLOW_END || token === CST.SCALAR) {
      isScalar = token === CST.SCALAR
      if (!isScalar) flowDepth = 0
      continue
    }
    if (isScalar) isScalar = false
    else if (token === '[' || token === '{') flowDepth++
    else if (token === ']' || token === '}') flowDepth = Math.max(0, flowDepth - 1)
    else if (token === '-' || token === '?') indicatorsInLine++
    else if (token === '\n' || token === '\r\n') indicatorsInLine = 0
    else if (token.startsWith('%')) faults.push(directiveFault(token, offset))
    if (token.trim() !== '') count++
    const isTooDeep = Math.max(flowDepth, indicatorsInLine) > YAML_DEPTH_MAX
    if (isTooDeep) return [...faults, depthFault(offset)]
    if (count > YAML_TOKENS_MAX) return [...faults, tokensFault(offset)]
    offset += token.length
  }
  return faults
}

function tokensFault(offset: number): TextFault {
  return {
    code: 'YAML_TOO_LARGE',
    offset,
    message: `the manifest has more than ${YAML_TOKENS_MAX} words and signs`,
    hint: 'move data into files of the bundle',
    fatal: true,
  }
}

export function depthFault(offset: number): TextFault {
  return {
    code: 'YAML_DEPTH',
    offset,
    message: `collections are nested more than ${YAML_DEPTH_MAX} deep`,
    fatal: true,
  }
}

function directiveFault(token: string, offset: number): TextFault {
  return {
    code: 'YAML_FEATURE',
    offset,
    message: `the directive ${JSON.stringify(token.slice(0, 40))} is not allowed`,
    hint: 'remove the line: manifests are YAML 1.2',
    fatal: false,
  }
}
