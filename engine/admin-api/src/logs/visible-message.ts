import { spellOut } from '@kre/contracts'

/**
 * Controls, marks that turn or hide text, separators of lines and halves of characters (Unicode categories Cc, Cf, Cs,
 * Zl, Zp), but for line ends and tabs, and for the joiner that emoji are made with.
 */
const INVISIBLE = /(?![\n\t\u{200d}])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
/** A marker of line ends that stands before one belongs to it. */
const RETURN = /\r+(?=\n|$)/g

/** A node's message with everything spelled out that could steer a terminal, hide text or turn it around. */
export function visibleMessage(text: string): string {
  return spellOut(text.replace(RETURN, ''), INVISIBLE)
}

/** The same on several lines of a text file: those after the first are indented, so that none can pass for a record. */
export function indentedMessage(text: string): string {
  return visibleMessage(text).replaceAll('\n', '\n    ')
}

/** RFC 3339: what a sender wrote may be any text that a parser of dates forgives. */
export function logDate({ date }: { date: string }): string {
  return new Date(date).toISOString()
}
