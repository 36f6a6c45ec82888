/** Runs a fuzzer for some seconds: bounded in CI, for minutes with `KRE_FUZZ_SECONDS`, replayed with `KRE_FUZZ_SEED`. */

/** Numbers below `max`, the same for the same seed. */
export type Random = (max: number) => number

const CI_SECONDS = 3
/** One input alone may take this long; computing is counted, not waiting. */
const HANG_CPU_MS = 10_000

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return (max) => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * max)
  }
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random(choices.length)] as T
}

/**
 * @param attempt makes one input from its numbers and judges the answer; it throws when that is wrong.
 * @returns how many inputs there were.
 * @throws Error with the seed of the input that failed or took more than a second of computing.
 */
export async function fuzz(attempt: (random: Random) => void | Promise<void>): Promise<number> {
  const { KRE_FUZZ_SECONDS, KRE_FUZZ_SEED } = process.env
  const replay = KRE_FUZZ_SEED === undefined ? null : Number(KRE_FUZZ_SEED)
  const first = replay ?? Date.now() % 2 ** 31
  const endsAt = performance.now() + Number(KRE_FUZZ_SECONDS ?? CI_SECONDS) * 1_000
  let rounds = 0
  do {
    const seed = first + rounds
    const { user } = process.cpuUsage()
    try {
      await attempt(createRandom(seed))
    } catch (cause) {
      throw new Error(`seed ${seed} failed; replay it with KRE_FUZZ_SEED=${seed}`, { cause })
    }
    const cpuMs = (process.cpuUsage().user - user) / 1_000
    if (cpuMs > HANG_CPU_MS && rounds > 0)
      throw new Error(`seed ${seed} took ${cpuMs} ms of computing; replay it with KRE_FUZZ_SEED`)
    rounds += 1
  } while (replay === null && performance.now() < endsAt)
  return rounds
}

/** Changes, cuts, drops, repeats and swaps pieces of a text or of bytes. */
export function mutate<T>(pieces: readonly T[], random: Random, foreign: readonly T[]): T[] {
  const changed = [...pieces]
  for (let blows = 1 + random(4); blows > 0 && changed.length > 0; blows -= 1) {
    const at = random(changed.length)
    const length = 1 + random(Math.min(8, changed.length - at))
    switch (random(5)) {
      case 0:
        changed[at] = pick(random, foreign)
        break
      case 1:
        changed.splice(at, length)
        break
      case 2:
        changed.splice(at, 0, ...changed.slice(at, at + length))
        break
      case 3:
        changed.splice(at, 0, pick(random, foreign))
        break
      default:
        changed.splice(random(changed.length), 0, ...changed.splice(at, length))
    }
  }
  return changed
}
