import { characters, isSeen } from './text.ts'

/**
 * What hides or turns text around, or steers who prints it: controls, format characters, halves of characters, ends of
 * lines and paragraphs. Not the two joiners, which emoji and some scripts are written with.
 */
const HIDDEN = /(?![\u{200c}\u{200d}])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
const HIDDEN_BUT_LINES = new RegExp(`(?![\\n\\t])${HIDDEN.source}`, 'u')

export type TextRule = {
  readonly charsMax: number
  /** Whether it may have several lines. */
  readonly lines: boolean
  /** Makes the error of what is wrong. */
  readonly invalid: (what: string) => Error
}

/**
 * A text that people give to something, without white space around it and in one form (NFC), so that what looks the same
 * is the same.
 *
 * @throws what `invalid` makes.
 */
export function legalText(value: string, { charsMax, lines, invalid }: TextRule): string {
  const text = (lines ? value.replaceAll('\r\n', '\n') : value).normalize('NFC').trim()
  if (!isSeen(text)) throw invalid('it is empty: write something')
  const chars = characters(text)
  if (chars > charsMax) throw invalid(`it has ${chars} characters: use at most ${charsMax}`)
  const hidden = (lines ? HIDDEN_BUT_LINES : HIDDEN).exec(text)?.[0]
  if (hidden !== undefined)
    throw invalid(
      `it has the character U+${(hidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}, which can't be seen: leave it out`,
    )
  return text
}
