/** Which tag comes next: a pure function of the tags that are there. */
import { KreError } from '@kre/contracts'
import {
  compareLines,
  formatTag,
  parseTag,
  releaseBranch,
  semanticVersion,
  type Line,
  type ProductTag,
} from './product-tag.ts'

export type ReleaseKind = 'alpha' | 'release' | 'fix'

export type NextTagOptions = {
  kind: ReleaseKind
  /** Begins the next major version, where the coming one is not that already. */
  major?: boolean
  /** Line that is fixed; null = the newest one that was released. */
  line?: Line | null
}

export type NextTag = {
  kind: ReleaseKind
  tag: string
  /** The tag as a semantic version, for charts. */
  version: string
  /** Release branch that it is made on; null = the main branch. */
  branch: string | null
  isPrerelease: boolean
  /** Tag that its notes begin behind; null = the first commit. */
  previous: string | null
}

type Alpha = Extract<ProductTag, { kind: 'alpha' }>
type Release = Extract<ProductTag, { kind: 'release' }>
type Tags = { alphas: readonly Alpha[]; releases: readonly Release[] }

/**
 * Tags of other forms are none of the product's. Gaps are not filled: a number that was skipped may have been somebody's
 * tag that was taken away.
 *
 * @throws KreError `failed-precondition` for a fix of what was never released.
 */
export function nextTag(tags: readonly string[], options: NextTagOptions): NextTag {
  const parsed = tags.map(parseTag).filter((tag) => tag !== null)
  const known: Tags = {
    alphas: parsed.filter((tag) => tag.kind === 'alpha'),
    releases: parsed.filter((tag) => tag.kind === 'release'),
  }
  switch (options.kind) {
    case 'alpha':
      return nextAlpha(known, options.major === true)
    case 'release':
      return nextRelease(known, options.major === true)
    case 'fix':
      return nextFix(known, options.line ?? null)
  }
}

function nextAlpha(known: Tags, major: boolean): NextTag {
  const line = comingLine(known, major)
  const before = known.alphas.filter((tag) => compareLines(tag, line) === 0)
  const last = maximum(before, (tag) => tag.number)
  const previous = last ?? lastRelease(known.releases, line)
  const tag: Alpha = { kind: 'alpha', ...line, number: last === null ? 0 : last.number + 1 }
  return describe('alpha', tag, null, previous)
}

function nextRelease(known: Tags, major: boolean): NextTag {
  const line = comingLine(known, major)
  const tag: Release = { kind: 'release', ...line, patch: 0 }
  return describe('release', tag, releaseBranch(line), lastRelease(known.releases, line))
}

function nextFix({ releases }: Tags, wanted: Line | null): NextTag {
  const line = wanted ?? newestLine(releases)
  if (line === null)
    throw new KreError(
      'failed-precondition',
      'nothing was released yet, so there is nothing to fix: a fix follows a tag like v0.0.0, which "krectl release next --release" names',
    )
  const last = maximum(
    releases.filter((tag) => compareLines(tag, line) === 0),
    (tag) => tag.patch,
  )
  if (last === null)
    throw new KreError(
      'failed-precondition',
      `v${line.major}.${line.minor} was never released, so it can't be fixed: there is no tag v${line.major}.${line.minor}.0`,
    )
  const tag: Release = { kind: 'release', ...line, patch: last.patch + 1 }
  return describe('fix', tag, releaseBranch(line), last)
}

/** What is worked on: the highest line with alphas that is not released, or the minor version behind the last release. */
function comingLine({ alphas, releases }: Tags, major: boolean): Line {
  const released = newestLine(releases)
  const open = newestLine(alphas)
  const following = released === null ? { major: 0, minor: 0 } : successor(released)
  const coming = open !== null && compareLines(open, following) > 0 ? open : following
  const isMajor = coming.major > (released?.major ?? 0)
  return major && !isMajor ? { major: coming.major + 1, minor: 0 } : coming
}

function successor({ major, minor }: Line): Line {
  return { major, minor: minor + 1 }
}

/** The first release of the newest line below. */
function lastRelease(releases: readonly Release[], line: Line): Release | null {
  const below = newestLine(releases.filter((tag) => compareLines(tag, line) < 0))
  return below === null ? null : { kind: 'release', ...below, patch: firstPatch(releases, below) }
}

function firstPatch(releases: readonly Release[], line: Line): number {
  return Math.min(
    ...releases.filter((tag) => compareLines(tag, line) === 0).map((tag) => tag.patch),
  )
}

function newestLine(tags: readonly Line[]): Line | null {
  const newest = tags.toSorted(compareLines).at(-1)
  return newest === undefined ? null : { major: newest.major, minor: newest.minor }
}

function maximum<T>(items: readonly T[], value: (item: T) => number): T | null {
  return items.toSorted((a, b) => value(a) - value(b)).at(-1) ?? null
}

function describe(
  kind: ReleaseKind,
  tag: ProductTag,
  branch: string | null,
  previous: ProductTag | null,
): NextTag {
  return {
    kind,
    tag: formatTag(tag),
    version: semanticVersion(tag),
    branch,
    isPrerelease: tag.kind === 'alpha',
    previous: previous === null ? null : formatTag(previous),
  }
}
