/** Turns what a right client sends into what a wrong one might. Pure. */
import fc from 'fast-check'

/** What befalls the parts of a session: each is changed, lost, repeated, cut or comes elsewhere. */
export const fate = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), value: fc.nat({ max: 255 }) }),
  fc.record({ kind: fc.constantFrom('lose', 'repeat', 'cut', 'swap'), at: fc.nat() }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), bytes: fc.uint8Array() }),
)

type Fate = typeof fate extends fc.Arbitrary<infer T> ? T : never

export function damage(parts: readonly Buffer[], fates: readonly Fate[]): Buffer {
  const all = parts.map((each) => Buffer.from(each))
  for (const blow of fates) {
    // The first part is left whole most of the time, or little would be learned of what comes behind it.
    const index = blow.at % 16 === 0 ? 0 : 1 + (blow.at % (all.length - 1))
    const target = all[index]
    if (target === undefined || all.length < 3) continue
    const inside = Math.floor(blow.at / 16) % Math.max(1, target.length)
    if ('value' in blow) target[inside] = blow.value
    else if ('bytes' in blow) all.splice(index, 0, Buffer.from(blow.bytes))
    else if (blow.kind === 'lose') all.splice(index, 1)
    else if (blow.kind === 'repeat') all.splice(index, 0, target)
    else if (blow.kind === 'cut') all[index] = target.subarray(0, inside)
    else all.push(...all.splice(index, 1))
  }
  return Buffer.concat(all)
}
