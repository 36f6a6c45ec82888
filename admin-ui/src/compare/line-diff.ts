/** Two texts line by line, as a reader wants to see them. Pure. */
import { diffLines } from 'diff'

export type DiffLine =
  | {
      readonly kind: 'same' | 'removed' | 'added'
      readonly text: string
      /** Numbers from 1 in the text before and after; null = it is not in that one. */
      readonly before: number | null
      readonly after: number | null
    }
  /** Lines that are the same in both and left out here. */
  | { readonly kind: 'fold'; readonly count: number }

/** Texts that differ in more lines have little in common, and comparing them would hold the page up. */
const EDITS_MAX = 1_000
/** Lines around a change that tell where it is. */
const CONTEXT_LINES = 3

/** Every line of both, removed ones before those that were put in their place. */
export function lineDiff(before: string, after: string): readonly DiffLine[] {
  let [old, next] = [0, 0]
  const parts = diffLines(before, after, { maxEditLength: EDITS_MAX }) ?? [
    { value: before, added: false, removed: true },
    { value: after, added: true, removed: false },
  ]
  return parts.flatMap(({ value, added, removed }) =>
    linesOf(value).map((text): DiffLine => {
      if (!added) old += 1
      if (!removed) next += 1
      return {
        kind: added ? 'added' : removed ? 'removed' : 'same',
        text,
        before: added ? null : old,
        after: removed ? null : next,
      }
    }),
  )
}

/** The same without what is far from every change. */
export function foldSame(lines: readonly DiffLine[]): readonly DiffLine[] {
  const isNear = nearChange(lines)
  const folded: DiffLine[] = []
  lines.forEach((line, index) => {
    if (isNear[index] === true) {
      folded.push(line)
      return
    }
    const last = folded.at(-1)
    const count = last?.kind === 'fold' ? last.count + 1 : 1
    if (last?.kind === 'fold') folded.pop()
    folded.push({ kind: 'fold', count })
  })
  return folded
}

export function countChanges(lines: readonly DiffLine[]): { added: number; removed: number } {
  const count = (kind: DiffLine['kind']) => lines.filter((line) => line.kind === kind).length
  return { added: count('added'), removed: count('removed') }
}

function nearChange(lines: readonly DiffLine[]): readonly boolean[] {
  const isNear = lines.map(() => false)
  lines.forEach(({ kind }, index) => {
    if (kind !== 'same')
      isNear.fill(true, Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1)
  })
  return isNear
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}
