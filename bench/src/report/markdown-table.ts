/** @param words the first so many columns are words, the others numbers. */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  words = 1,
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = header.map((_, column) => (column < words ? '---' : '---:'))
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}
