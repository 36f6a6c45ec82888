/** JSON as it was written: no key twice, and no number that lost its last digits on the way. */
import { KreError } from '@kre/contracts/runtime'

/** Nesting that no message needs, and that no recursive reader behind this one survives. */
const DEPTH_MAX = 100
const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * A whole number of many digits is kept as text, which may be one of 64 bits or may not be rounded; one with a point or
 * an exponent is a floating-point number wherever it stands.
 */
function exactText(source: string): unknown {
  const isWhole = !/[.eE]/.test(source)
  return isWhole || !Number.isFinite(Number(source)) ? source : Number(source)
}

/**
 * @param largeNumber what to make of a number beyond 2^53-1, given as it was written: as a number it may be rounded.
 * @throws KreError `invalid-argument` that says what is wrong, and where.
 */
export function parseJson(
  bytes: Uint8Array,
  largeNumber: (source: string) => unknown = exactText,
): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new KreError('invalid-argument', 'the body is not UTF-8', {}, { cause })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new KreError('invalid-argument', `the body is not JSON: ${why}`, {}, { cause })
  }
  if (!scan(text)) return value
  return JSON.parse(text, (_key, parsed: unknown, context?: { source: string }) => {
    const source = context?.source
    if (typeof parsed !== 'number' || source === undefined) return parsed
    return Math.abs(parsed) <= Number.MAX_SAFE_INTEGER ? parsed : largeNumber(source)
  })
}

/**
 * Looks over a text that is JSON for what `JSON.parse` hides.
 *
 * @returns whether there may be a number beyond 2^53-1.
 * @throws KreError `invalid-argument` for a key that is there twice, and for too deep nesting.
 */
function scan(text: string): boolean {
  // The keys of each open object; null = an array.
  const open: (Set<string> | null)[] = []
  let isKey = false
  let hasLarge = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: // [
        isKey = text.charCodeAt(at) === 0x7b
        open.push(isKey ? new Set() : null)
        if (open.length > DEPTH_MAX) throw tooDeep()
        break
      case 0x7d: // }
      case 0x5d: // ]
        open.pop()
        isKey = false
        break
      case 0x2c: // ,
        isKey = open.at(-1) !== null && open.length > 0
        break
      case QUOTE: {
        const end = endOfString(text, at)
        if (isKey) addKey(open.at(-1), text.slice(at, end + 1))
        isKey = false
        at = end
        break
      }
      default:
        if (isDigit(text.charCodeAt(at))) {
          const end = endOfDigits(text, at)
          const isFraction = text.charCodeAt(at - 1) === 0x2e
          // 2^53 has 16 digits; those of a fraction make nothing large, an exponent may.
          if (isFraction ? hasExponent(text, end) : end - at >= 16 || hasExponent(text, end))
            hasLarge = true
          at = end - 1
        }
    }
  }
  return hasLarge
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

/** Behind an odd number of backslashes. */
function isEscaped(text: string, at: number): boolean {
  let before = at
  while (text.charCodeAt(before - 1) === BACKSLASH) before--
  return (at - before) % 2 === 1
}

/** One that is not negative. */
function hasExponent(text: string, at: number): boolean {
  return (text.charCodeAt(at) | 0x20) === 0x65 && text.charCodeAt(at + 1) !== 0x2d
}

function endOfDigits(text: string, start: number): number {
  let at = start + 1
  while (isDigit(text.charCodeAt(at))) at++
  return at
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function addKey(keys: Set<string> | null | undefined, written: string): void {
  const key = written.includes('\\') ? (JSON.parse(written) as string) : written.slice(1, -1)
  if (keys?.has(key) === true)
    throw new KreError('invalid-argument', `the body has the key ${JSON.stringify(key)} twice`)
  keys?.add(key)
}

function tooDeep(): KreError {
  return new KreError(
    'invalid-argument',
    `the body is nested more than ${DEPTH_MAX} levels deep, which no message here is`,
  )
}
