/**
 * Where an import may lie in the bundle: from its root, as protoc looks, then beside the importing file,
 * as many people write. Empty when the path could lead out of the bundle.
 */
export function importCandidates(importer: string, written: string): string[] {
  const segments = written.split('/')
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return []
  if (/[\\:\p{Cc}]/u.test(written)) return []
  const folder = importer.slice(0, importer.lastIndexOf('/') + 1)
  return folder === '' ? [written] : [written, folder + written]
}
