/** The bytes a process holds for others, counted where they are held. */
export type ByteBudget = {
  /** False when `bytes` do not fit any more; then nothing is taken. */
  take(bytes: number): boolean
  /** For bytes that are here already (answers): counted even beyond the budget, so that newcomers are refused. */
  add(bytes: number): void
  give(bytes: number): void
  held(): number
  isFull(): boolean
}

export function createByteBudget(bytesMax: number): ByteBudget {
  let held = 0
  return {
    take(bytes) {
      if (held + bytes > bytesMax) return false
      held += bytes
      return true
    },
    add(bytes) {
      held += bytes
    },
    give(bytes) {
      held -= bytes
    },
    held: () => held,
    isFull: () => held > bytesMax,
  }
}
