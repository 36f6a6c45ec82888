import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { UsageError } from '../output/exit-code.ts'
import { nextTag, type NextTag, type ReleaseKind } from '../release/next-tag.ts'
import { readCommits, readFixedLine, readTags } from '../release/read-history.ts'
import { releaseNotes } from '../release/release-notes.ts'

type ReleaseOptions = {
  alpha?: true
  release?: true
  fix?: true
  major?: true
  branch?: string
}

export function releaseCommands(program: Command, context: Context): void {
  const release = program
    .command('release')
    .description('tags and notes of the product, from the git repository of this folder')
  withKind(release.command('next'))
    .description('which tag comes next; nothing is changed')
    .action(async (options: ReleaseOptions) => {
      const next = await nextOf(context, options)
      context.output.result(next, next.tag)
    })
  withKind(release.command('notes'))
    .description('what changed since the tag before it, as Markdown')
    .action(async (options: ReleaseOptions) => {
      const next = await nextOf(context, options)
      const commits = await readCommits(context, next.previous)
      const notes = releaseNotes(next.tag, next.previous, commits)
      context.output.result({ ...next, notes }, notes)
    })
}

function withKind(command: Command): Command {
  return command
    .option('--alpha', 'of a merged change: v0.1-alpha.0, v0.1-alpha.1, ... of the coming 0.1')
    .option('--release', 'of a release: v0.1.0, on a new branch release-v0.1')
    .option('--fix', 'of a fix of a release: v0.1.1, v0.1.2, ... on its branch')
    .option('--major', 'with --alpha and --release: begin the next major version')
    .option('--branch <name>', 'with --fix: the release branch (default: the one of this commit)')
}

async function nextOf(context: Context, options: ReleaseOptions): Promise<NextTag> {
  const kind = kindOf(options)
  const { major = false, branch = null } = options
  if (major && kind === 'fix') throw new UsageError('--major goes with --alpha and --release')
  if (branch !== null && kind !== 'fix') throw new UsageError('--branch goes with --fix')
  const line = kind === 'fix' ? await readFixedLine(context, branch) : null
  return nextTag(await readTags(context), { kind, major, line })
}

function kindOf({ alpha, release, fix }: ReleaseOptions): ReleaseKind {
  const kinds: ReleaseKind[] = [
    ...(alpha ? (['alpha'] as const) : []),
    ...(release ? (['release'] as const) : []),
    ...(fix ? (['fix'] as const) : []),
  ]
  const [kind] = kinds
  if (kind !== undefined && kinds.length === 1) return kind
  throw new UsageError('say what is to be tagged: one of --alpha, --release and --fix')
}
