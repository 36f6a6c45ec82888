/** Which of many names somebody means by a few letters of one. Pure. */

/** A letter that begins a word says more about what is meant than one inside of it. */
const WORD_POINTS = 8
const RUN_POINTS = 4
const HIT_POINTS = 1

/**
 * How well the letters of `query` fit into `text`, in their order and whatever their case; null = they are not there.
 * Blanks between the parts of a query mean nothing.
 */
export function fuzzyScore(query: string, text: string): number | null {
  const letters = Array.from(query.toLowerCase()).filter((letter) => letter.trim() !== '')
  const folded = text.toLowerCase()
  let score = 0
  let last = -1
  for (const letter of letters) {
    const index = bestIndex(folded, letter, last)
    if (index === -1) return null
    score += isWordStart(folded, index) ? WORD_POINTS : index === last + 1 ? RUN_POINTS : HIT_POINTS
    last = index
  }
  // Of two that fit alike, the shorter one is meant.
  return score - text.length / 1000
}

/** The next place of a letter: right behind the last one, else at the begin of a word, else anywhere. */
function bestIndex(text: string, letter: string, last: number): number {
  if (text[last + 1] === letter) return last + 1
  const first = text.indexOf(letter, last + 1)
  for (let index = first; index !== -1; index = text.indexOf(letter, index + 1))
    if (isWordStart(text, index)) return index
  return first
}

function isWordStart(text: string, index: number): boolean {
  return index === 0 || !/[\p{L}\p{N}]/u.test(text[index - 1] ?? '')
}

/** Those that fit, the best first; all of them in their own order when nothing is asked for. */
export function fuzzyFilter<Item>(
  query: string,
  items: readonly Item[],
  textOf: (item: Item) => string,
): readonly Item[] {
  if (query.trim() === '') return items
  return items
    .flatMap((item) => {
      const score = fuzzyScore(query, textOf(item))
      return score === null ? [] : [{ item, score }]
    })
    .toSorted((one, other) => other.score - one.score)
    .map(({ item }) => item)
}
