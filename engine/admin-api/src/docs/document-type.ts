/** Which files of a bundle are documents, and as what they are served. Pure. */

/** How a browser may take a document. */
type DocumentType = {
  readonly contentType: string
  /** It is handed over as a file, never shown: it could hold scripts. */
  readonly isDownload: boolean
}

const shown = (contentType: string): DocumentType => ({ contentType, isDownload: false })
const download = (contentType: string): DocumentType => ({ contentType, isDownload: true })

/** By extension in lower case. HTML is not among them: nothing that a bundle brings runs on the admin origin. */
const TYPES: Readonly<Record<string, DocumentType>> = {
  md: shown('text/markdown; charset=utf-8'),
  txt: shown('text/plain; charset=utf-8'),
  csv: shown('text/plain; charset=utf-8'),
  png: shown('image/png'),
  jpg: shown('image/jpeg'),
  jpeg: shown('image/jpeg'),
  gif: shown('image/gif'),
  webp: shown('image/webp'),
  avif: shown('image/avif'),
  svg: download('image/svg+xml'),
  pdf: download('application/pdf'),
}
const DASHBOARD_TYPE = download('application/json')

export const DOCUMENTS_FOLDER = 'docs/'
const DASHBOARDS_FOLDER = 'metrics/dashboards/'

/** Null for a path that is not served. It is compared with the paths of the bundle, never opened. */
export function documentType(path: string): DocumentType | null {
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  if (path.startsWith(DASHBOARDS_FOLDER)) return extension === 'json' ? DASHBOARD_TYPE : null
  if (!path.startsWith(DOCUMENTS_FOLDER)) return null
  return Object.hasOwn(TYPES, extension) ? (TYPES[extension] ?? null) : null
}

/** Those of a bundle's files that are served, in their order. */
export function documentPaths(files: readonly string[]): string[] {
  return files.filter((path) => documentType(path) !== null)
}
