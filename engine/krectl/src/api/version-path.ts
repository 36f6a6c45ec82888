/** Path of a version's routes. */
export function versionPath(runtime: string, version: string): string {
  return `/api/v1/runtimes/${encodeURIComponent(runtime)}/versions/${encodeURIComponent(version)}`
}
