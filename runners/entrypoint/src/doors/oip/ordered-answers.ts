/** Answers in the order of their requests, whichever is ready first. */

/** One request's place in the order. Everything it does after its end is passed over. */
export type Turn = {
  /**
   * A message of its answer. Before its turn has come only one is kept.
   *
   * @returns false when the caller takes no more now: `onRoom` is called when it does.
   */
  write(message: Uint8Array): boolean
  end(): void
  /** The caller has gone. */
  onGone: (() => void) | null
  onRoom: (() => void) | null
}

/** What is to be done for a request. */
export type Job = {
  /** It may send any number of messages, which nobody keeps: it begins when its turn has come. */
  readonly isLong: boolean
  run(turn: Turn): void
}

export type OrderedAnswers = {
  /**
   * @param bytes that are held until the request has ended.
   * @param job asked for in order, until it is given; null = not yet known, call `advance` when it is.
   */
  open(bytes: number, job: () => Job | null): void
  /** Begins what can be begun. */
  advance(): void
  /** What was written is on its way. */
  drained(): void
  abandon(): void
  readonly size: number
}

type Entry = {
  readonly bytes: number
  readonly job: () => Job | null
  /** Null: it has not begun. */
  turn: Turn | null
  early: Uint8Array | null
  isOver: boolean
}

/**
 * @param out.write false: no more now; wait for `drained`.
 * @param out.release bytes are no longer held.
 */
export function createOrderedAnswers(out: {
  write: (message: Uint8Array) => boolean
  /** Bytes of an answer wait for their turn. */
  hold: (bytes: number) => void
  release: (bytes: number) => void
}): OrderedAnswers {
  const entries: Entry[] = []
  /** They are the first ones of `entries`. */
  let begun = 0
  let isBlocked = false
  let isAdvancing = false

  const send = (message: Uint8Array): boolean => {
    isBlocked = !out.write(message) || isBlocked
    return !isBlocked
  }

  const close = (entry: Entry) => {
    entry.isOver = true
    if (entries[0] !== entry) return
    let released = 0
    while (entries[0]?.isOver === true) {
      released += entries.shift()?.bytes ?? 0
      begun--
      const next = entries[0]
      if (next === undefined || next.early === null) continue
      released += next.early.length
      send(next.early)
      next.early = null
    }
    out.release(released)
    advance()
  }

  const openTurn = (entry: Entry): Turn => ({
    onGone: null,
    onRoom: null,
    write(message) {
      if (entry.isOver) return true
      if (entries[0] === entry) return send(message)
      entry.early = message
      out.hold(message.length)
      return true
    },
    end() {
      if (!entry.isOver) close(entry)
    },
  })

  const beginNext = (): boolean => {
    const entry = entries[begun]
    if (entry === undefined || isBlocked) return false
    const job = entry.job()
    if (job === null || (job.isLong && begun > 0)) return false
    begun++
    entry.turn = openTurn(entry)
    job.run(entry.turn)
    return true
  }

  const advance = () => {
    // What begins may end at once, and so come here again.
    if (isAdvancing) return
    isAdvancing = true
    while (beginNext());
    isAdvancing = false
  }

  return {
    get size() {
      return entries.length
    },
    open(bytes, job) {
      entries.push({ bytes, job, turn: null, early: null, isOver: false })
      advance()
    },
    advance,
    drained() {
      isBlocked = false
      entries[0]?.turn?.onRoom?.()
      advance()
    },
    abandon() {
      const all = entries.splice(0)
      begun = 0
      for (const entry of all) {
        entry.isOver = true
        out.release(entry.bytes + (entry.early?.length ?? 0))
        entry.turn?.onGone?.()
      }
    },
  }
}
