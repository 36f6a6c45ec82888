/**
 * A message that fits, with a mark that says how much of it is missing.
 *
 * @param charsMax UTF-16 code units, the mark included.
 */
export function cutMessage(message: string, charsMax: number): string {
  if (message.length <= charsMax) return message
  const mark = ` … (${message.length} characters)`
  const end = charsMax - mark.length
  // Half of a pair would be no character.
  const isPair = /[\ud800-\udbff]/.test(message[end - 1] ?? '')
  return message.slice(0, isPair ? end - 1 : end) + mark
}
