/** What changed between two tags, as Markdown: a pure function of the commits. */

export type Commit = {
  /** Full hash. */
  hash: string
  subject: string
  body: string
  /** Paths from the root of the repository. */
  files: readonly string[]
}

/** Chapters in their order; a commit is told in the first one that most of its files belong to. */
const CHAPTERS: readonly (readonly [title: string, folders: readonly string[]])[] = [
  ['Admin UI', ['admin-ui/']],
  ['Nodes and entrypoints', ['runners/', 'engine/bundle/', 'examples/']],
  ['Command line', ['engine/krectl/', 'krectl.sh']],
  ['Kubernetes', ['k8s-manager/src/kubernetes/', 'helm/', 'images/']],
  ['Engine', ['engine/', 'nats-manager/', 'k8s-manager/']],
  ['Documents', ['docs/', 'README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'SECURITY.md']],
]
const REST = 'Tests and tools'

const SHORT_HASH_CHARS = 10
const REVERT = /^This reverts commit ([0-9a-f]{7,64})\b/m
/** A paragraph of a commit's message that says what an operator has to do. */
const BREAKING = /^BREAKING[ -]CHANGE: *((?:.+(?:\n(?!\n).+)*))/m

/**
 * @param commits newest first, as `git log` gives them. Of two commits that undo each other neither is told.
 * @param previous null = there was none.
 */
export function releaseNotes(
  tag: string,
  previous: string | null,
  commits: readonly Commit[],
): string {
  const told = withoutReverted(commits)
  const breaking = told.flatMap(({ body, hash }) => {
    const text = BREAKING.exec(body)?.[1]
    return text === undefined ? [] : [item(text.replaceAll(/\s+/g, ' '), hash)]
  })
  const titles = [...CHAPTERS.map(([title]) => title), REST]
  const chapters = titles.flatMap((title) => {
    const lines = told
      .filter(({ files }) => chapterOf(files) === title)
      .map(({ subject, hash }) => item(subject, hash))
    return chapter(title, lines)
  })
  const since = previous === null ? 'from the beginning' : `since ${previous}`
  const body = [...chapter('Before you upgrade', breaking), ...chapters]
  return [`# KRE ${tag}`, '', `What changed ${since}.`, '', ...nothingIf(body)].join('\n')
}

function nothingIf(body: readonly string[]): readonly string[] {
  return body.length === 0 ? ['Nothing but the tag.', ''] : body
}

function chapter(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines, '']
}

function item(text: string, hash: string): string {
  return `- ${escapeMarkdown(text.trim())} (${hash.slice(0, SHORT_HASH_CHARS)})`
}

/** A text of a commit becomes no link, no markup, and calls nobody by name. */
function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/[\\`*_[\]<>#|~]/g, (mark) => `\\${mark}`)
    .replaceAll('@', '@\u{200b}')
    .replaceAll(/(?![\u{200b}])[\p{Cc}\p{Cf}]/gu, '')
}

function chapterOf(files: readonly string[]): string {
  const votes = new Map<string, number>()
  for (const file of files) {
    const title = CHAPTERS.find(([, folders]) => folders.some((name) => file.startsWith(name)))?.[0]
    votes.set(title ?? REST, (votes.get(title ?? REST) ?? 0) + 1)
  }
  const titles = [...CHAPTERS.map(([title]) => title), REST]
  const most = Math.max(0, ...votes.values())
  return titles.find((title) => votes.get(title) === most) ?? REST
}

function withoutReverted(commits: readonly Commit[]): Commit[] {
  const dropped = new Set<string>()
  // Newest first: a revert that was reverted itself reverts nothing any more.
  for (const { hash, body } of commits) {
    const undone = dropped.has(hash) ? undefined : REVERT.exec(body)?.[1]
    const target = commits.find((commit) => undone !== undefined && commit.hash.startsWith(undone))
    if (target === undefined) continue
    dropped.add(hash)
    dropped.add(target.hash)
  }
  return commits.filter(({ hash }) => !dropped.has(hash))
}
