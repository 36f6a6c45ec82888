import { spellOut } from '@kre/contracts'

/**
 * Controls, line and paragraph ends, and the marks that turn or hide text (Unicode categories Cc, Cf, Cs, Zl, Zp): what
 * could forge a second line, colour a terminal, or make a text read as another one.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/**
 * A stranger's text on one line, with everything invisible spelled out, and cut short.
 *
 * @param charsMax longest result, in UTF-16 units; a cut one ends in `…`.
 */
export function visibleText(text: string, charsMax: number): string {
  // Spelling out makes texts longer, never shorter: what lies beyond can't be part of the result.
  const head = text.slice(0, charsMax + 1)
  const shown = spellOut(head, INVISIBLE)
  return shown.length > charsMax ? `${shown.slice(0, charsMax - 1)}…` : shown
}
