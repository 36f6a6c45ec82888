/**
 * Who of several engines may do what only one may do. There is no clock in here: computers disagree about the time.
 * Whoever waits for a lease watches its `beat` and takes it when that has not changed for long enough by the waiter's
 * own clock; the holder stops by its own clock before anybody can have waited so long.
 */
export type Lease = {
  readonly name: string
  /** Who has it; null = it was given back. */
  readonly holder: string | null
  /** What its holder works on and another one can't reach, for example a data folder; null = nothing. */
  readonly place: string | null
  /** Grows with each new holder: what a former one still writes comes with a lower one and is refused. */
  readonly token: number
  /** Grows with each renewal. */
  readonly beat: number
}

/**
 * Each method is one atomic step on one record. MongoDB: one document per lease, `_id` = name; `take` is an insert or
 * an update whose filter has token and beat.
 */
export interface LeaseStore {
  read(name: string): Promise<Lease | null>
  /** All of them, in no order. */
  list(): Promise<Lease[]>
  /**
   * Takes the lease as it was seen, with the next token (1 for the first holder ever).
   *
   * @param seen what `read` gave; null = it was not there.
   * @returns null when it is not as it was seen any more: somebody was faster, or its holder lives.
   */
  take(
    lease: { name: string; holder: string; place: string | null },
    seen: Pick<Lease, 'token' | 'beat'> | null,
  ): Promise<Lease | null>
  /** Says that the holder lives. @returns the new beat; null when another one has the lease now. */
  renew(held: Pick<Lease, 'name' | 'holder' | 'token'>): Promise<number | null>
  /** Gives it back; the token stays, and the place when it is named. No effect on a lease of somebody else. */
  release(held: Pick<Lease, 'name' | 'holder' | 'token'>, place: string | null): Promise<void>
  /** Forgets it, token and all: for names that are used once. No effect on a lease of somebody else. */
  remove(held: Pick<Lease, 'name' | 'holder' | 'token'>): Promise<void>
}
