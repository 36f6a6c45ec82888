/** Controls, bidi and other format characters, halves of characters, private use, line separators. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

/**
 * A text with what can't be seen, or changes how the rest is shown, written as `\u{202e}`: issues quote strangers
 * and end up in terminals, logs and pages.
 */
export function escapeUnprintable(text: string): string {
  return spellOut(text, UNPRINTABLE)
}

/** A text with some characters written as `\u{202e}`. @param characters a global pattern, of single code points. */
export function spellOut(text: string, characters: RegExp): string {
  return text.replace(
    characters,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  )
}
