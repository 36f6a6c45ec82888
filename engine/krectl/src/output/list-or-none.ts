/** What an option names with commas between; `none` is the empty list. */
export function listOrNone(text: string): string[] {
  if (text.trim().toLowerCase() === 'none') return []
  return text.split(',').map((item) => item.trim())
}
