/** Which two versions are compared when the address does not name both. Pure. */

type Candidate = { readonly name: string; readonly creationDate: string }
export type Chosen = { readonly from: string | null; readonly to: string | null }

/**
 * What callers get now against the newest version that they do not: what publishing that one would bring.
 *
 * @param versions newest first.
 */
export function chooseVersions(
  named: Chosen,
  versions: readonly Candidate[],
  published: string | null,
): Chosen {
  const other = (taken: string | null) => versions.find(({ name }) => name !== taken)?.name ?? null
  if (named.from !== null && named.to !== null) return named
  if (named.to !== null) {
    const from = published !== null && published !== named.to ? published : other(named.to)
    return { from, to: named.to }
  }
  const from = named.from ?? published ?? versions[1]?.name ?? null
  return { from, to: other(from) }
}

/** The older of two comes first, as what is changed. */
export function inOrder(one: Candidate, other: Candidate): { from: string; to: string } {
  const isOlder = one.creationDate <= other.creationDate
  return isOlder ? { from: one.name, to: other.name } : { from: other.name, to: one.name }
}
