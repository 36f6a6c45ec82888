/** Tags of the product: `v0.1-alpha.3` is an alpha of the coming 0.1, `v0.1.2` a release (patch 0) or a fix. */

/** A line is what one release branch holds: the numbers before the patch. */
export type Line = { readonly major: number; readonly minor: number }

export type ProductTag =
  | (Line & { readonly kind: 'alpha'; readonly number: number })
  | (Line & { readonly kind: 'release'; readonly patch: number })

/** Numbers of up to nine digits: more is no version, and would not be exact. */
const NUMBER = '(0|[1-9]\\d{0,8})'
const ALPHA = new RegExp(`^v${NUMBER}\\.${NUMBER}-alpha\\.${NUMBER}$`)
const RELEASE = new RegExp(`^v${NUMBER}\\.${NUMBER}\\.${NUMBER}$`)
const BRANCH = new RegExp(`^release-v${NUMBER}\\.${NUMBER}$`)

/** @returns null for a tag that is none of the product's. */
export function parseTag(text: string): ProductTag | null {
  const alpha = ALPHA.exec(text)
  if (alpha !== null) return { kind: 'alpha', ...lineOf(alpha), number: Number(alpha[3]) }
  const release = RELEASE.exec(text)
  if (release !== null) return { kind: 'release', ...lineOf(release), patch: Number(release[3]) }
  return null
}

export function formatTag(tag: ProductTag): string {
  const line = `v${tag.major}.${tag.minor}`
  return tag.kind === 'alpha' ? `${line}-alpha.${tag.number}` : `${line}.${tag.patch}`
}

/** The tag as a semantic version, which charts and packages need: an alpha comes before patch 0. */
export function semanticVersion(tag: ProductTag): string {
  const line = `${tag.major}.${tag.minor}`
  return tag.kind === 'alpha' ? `${line}.0-alpha.${tag.number}` : `${line}.${tag.patch}`
}

export function releaseBranch({ major, minor }: Line): string {
  return `release-v${major}.${minor}`
}

/** @returns null for a branch that is no release branch. */
export function parseReleaseBranch(name: string): Line | null {
  const found = BRANCH.exec(name)
  return found === null ? null : lineOf(found)
}

/** Negative, zero or positive. */
export function compareLines(a: Line, b: Line): number {
  return a.major - b.major || a.minor - b.minor
}

function lineOf(match: RegExpExecArray): Line {
  return { major: Number(match[1]), minor: Number(match[2]) }
}
