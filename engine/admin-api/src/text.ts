/** Longest part of a caller's text that an answer repeats, in characters. */
const ECHO_CHARS_MAX = 64

/** A caller's text inside a message: quoted, on one line, and short whatever was sent. */
export function quoted(text: string): string {
  const short = text.length > ECHO_CHARS_MAX ? `${text.slice(0, ECHO_CHARS_MAX)}…` : text
  return JSON.stringify(short)
}

/** Length of a text as its readers count it: an emoji outside the basic plane is one character, not two. */
export function characters(text: string): number {
  return Array.from(text).length
}

/** Whether a reader sees anything of it: a letter, digit, sign or symbol. */
export function isSeen(text: string): boolean {
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(text)
}
