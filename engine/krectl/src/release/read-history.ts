/** What git knows of the product's history. */
import type { Context } from '../context.ts'
import { askProgram } from '../programs/run-program.ts'
import { UsageError } from '../output/exit-code.ts'
import { compareLines, parseReleaseBranch, parseTag, type Line } from './product-tag.ts'
import type { Commit } from './release-notes.ts'

type GitContext = Pick<Context, 'cwd' | 'environment' | 'signal' | 'stderr'>

/** All tags of the repository that the user stands in. */
export async function readTags(context: GitContext): Promise<string[]> {
  return lines(await git(context, ['tag', '--list']))
}

/**
 * Line of a fix: that of the branch which is named or checked out, else of the newest release that this commit holds,
 * as on a branch that was made from a release branch.
 *
 * @param branch null = the one that is checked out.
 * @returns null where this commit holds no release.
 * @throws UsageError for a named branch that is no release branch.
 */
export async function readFixedLine(
  context: GitContext,
  branch: string | null,
): Promise<Line | null> {
  if (branch !== null) {
    const line = parseReleaseBranch(branch)
    if (line !== null) return line
    throw new UsageError(`"${branch}" is no release branch: they are called release-v0.1`)
  }
  const current = parseReleaseBranch(await git(context, ['branch', '--show-current']))
  if (current !== null) return current
  const held = lines(await git(context, ['tag', '--list', '--merged', 'HEAD']))
    .map(parseTag)
    .filter((tag) => tag?.kind === 'release')
  return (
    held
      .filter((tag) => tag !== null)
      .toSorted(compareLines)
      .at(-1) ?? null
  )
}

/** Commits of this branch behind a tag, newest first, without merges. @param since null = from the first one. */
export async function readCommits(context: GitContext, since: string | null): Promise<Commit[]> {
  const range = since === null ? 'HEAD' : `refs/tags/${since}..HEAD`
  const format = '--format=%x00%H%x00%s%x00%b%x00'
  const text = await git(context, ['log', '--no-merges', format, '--name-only', range])
  const [, ...fields] = text.split('\0')
  const commits: Commit[] = []
  for (let i = 0; i + 3 < fields.length; i += 4) {
    const [hash = '', subject = '', body = '', files = ''] = fields.slice(i, i + 4)
    commits.push({ hash, subject, body, files: lines(files) })
  }
  return commits
}

async function git(context: GitContext, args: readonly string[]): Promise<string> {
  // Paths are for people here, and for comparing: nothing of them is quoted.
  return askProgram(context, { program: 'git', args: ['-c', 'core.quotePath=false', ...args] })
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
