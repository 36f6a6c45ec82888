/** For options that may be given again. Not `<value...>`: that would take the arguments that follow, too. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value]
}
