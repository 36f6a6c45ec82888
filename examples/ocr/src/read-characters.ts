// CTC decoding (connectionist temporal classification), the greedy way.

/**
 * Takes the likeliest class of each step; the same class in a row is one character, and class 0 is none.
 *
 * @param probabilities of each class, step after step.
 * @param characters by class.
 * @returns confidence: the mean probability of the characters, 0 for no text.
 */
export function readCharacters(probabilities: Float32Array, characters: readonly string[]) {
  if (probabilities.length % characters.length !== 0) {
    throw new Error(
      `the model does not know the ${characters.length} classes of its list of characters`,
    )
  }
  let [text, sum, count, last] = ['', 0, 0, 0]
  for (let step = 0; step < probabilities.length; step += characters.length) {
    let best = 0
    for (let i = 1; i < characters.length; i++) {
      if ((probabilities[step + i] as number) > (probabilities[step + best] as number)) best = i
    }
    if (best !== 0 && best !== last) {
      text += characters[best]
      sum += probabilities[step + best] as number
      count++
    }
    last = best
  }
  return { text: text.trim(), confidence: count === 0 ? 0 : sum / count }
}
