/** Where links and pictures of a bundle's document lead. Pure. */

/** What a link of a document is, after it was read against the document's own place. */
export type DocumentLink =
  | { readonly kind: 'document'; readonly path: string; readonly hash: string }
  | { readonly kind: 'outside'; readonly href: string }
  | { readonly kind: 'nothing' }

/** The bundle as a place of its own: nothing of it can reach out by `..`. */
const BUNDLE = 'bundle://bundle/'
/** Schemes that a document may lead to. */
const OUTSIDE = new Set(['https:', 'http:', 'mailto:'])

/** @param from path of the document inside the bundle, for example `docs/README.md`. */
export function readDocumentLink(href: string, from: string): DocumentLink {
  const url = URL.parse(href, `${BUNDLE}${from}`)
  if (url === null) return { kind: 'nothing' }
  if (url.protocol === 'bundle:' && url.host === 'bundle')
    return { kind: 'document', path: decodePath(url.pathname.slice(1)), hash: url.hash }
  return OUTSIDE.has(url.protocol) ? { kind: 'outside', href: url.href } : { kind: 'nothing' }
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // Written with a plain percent sign.
    return path
  }
}
