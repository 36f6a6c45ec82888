/** Lets work begin while there is room for it, in its order. */
export type Turns = {
  /**
   * Calls `begin` at once, or as soon as there is room.
   *
   * @param bytes that the work may take; more than there is room for waits until nothing else is under way.
   */
  take(bytes: number, begin: () => void): void
  /** The work has ended. @param bytes as they were taken. */
  giveBack(bytes: number): void
}

export function createTurns(atOnceMax: number, bytesMax: number): Turns {
  let waiting: { readonly bytes: number; readonly begin: () => void }[] = []
  let underWay = 0
  let held = 0

  const hasRoom = (bytes: number) =>
    underWay === 0 || (underWay < atOnceMax && held + bytes <= bytesMax)
  const start = ({ bytes, begin }: (typeof waiting)[number]) => {
    underWay++
    held += bytes
    begin()
  }
  return {
    take(bytes, begin) {
      if (waiting.length === 0 && hasRoom(bytes)) start({ bytes, begin })
      else waiting.push({ bytes, begin })
    },
    giveBack(bytes) {
      underWay--
      held -= bytes
      let begun = 0
      for (const next of waiting) {
        if (!hasRoom(next.bytes)) break
        begun++
        start(next)
      }
      if (begun > 0) waiting = waiting.slice(begun)
    },
  }
}
