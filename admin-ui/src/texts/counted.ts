/** A number with its noun: `1 line`, `2 lines`. */
export function counted(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`
}
