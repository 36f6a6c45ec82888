/** Controls, marks that turn or hide text, halves of characters, private use and separators, but for tabs. */
const UNPRINTABLE = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

/** What strangers named, with everything spelled out that hides text or turns it around, and cut to what fits. */
export function visibleText(text: string, charsMax = Number.POSITIVE_INFINITY): string {
  const cut = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text
  return cut.replace(UNPRINTABLE, (one) => `\\u{${one.codePointAt(0)?.toString(16) ?? ''}}`)
}
