import { KreError } from '@kre/contracts'

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such folder'],
  ['ENOTDIR', 'a part of its path is no folder'],
  ['EISDIR', 'it is a folder'],
  ['EACCES', 'you may not write there'],
  ['EPERM', 'you may not write there'],
  ['EROFS', 'nothing can be written there'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'your share of the disk is full'],
])

/** For `catch` of what writes a file: says in words what the system says by a code. @throws always. */
export function cannotWrite(file: string): (error: unknown) => never {
  return (error) => {
    const reason = REASONS.get((error as NodeJS.ErrnoException).code ?? '')
    if (reason === undefined) throw error
    throw new KreError(
      'failed-precondition',
      `${file} can't be written: ${reason}`,
      {},
      { cause: error },
    )
  }
}
