import { KreError } from '@kre/contracts'
import { characters, isSeen } from '../text.ts'

/** Longest comment of an operation, in characters. */
export const COMMENT_CHARS_MAX = 500

/**
 * The comment without white space around it.
 *
 * @throws KreError `invalid-argument` when nothing is left of it or it is too long.
 */
export function requireComment(comment: string): string {
  const trimmed = comment.trim()
  if (!isSeen(trimmed))
    throw new KreError('invalid-argument', 'the comment is empty: say why you do this', {
      field: 'comment',
    })
  assertCommentLength(trimmed)
  return trimmed
}

/** @throws KreError `invalid-argument`. */
export function assertCommentLength(comment: string): void {
  const chars = characters(comment)
  if (chars <= COMMENT_CHARS_MAX) return
  throw new KreError(
    'invalid-argument',
    `the comment has ${chars} characters: use at most ${COMMENT_CHARS_MAX}`,
    { field: 'comment', chars, charsMax: COMMENT_CHARS_MAX },
  )
}
