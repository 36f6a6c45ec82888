import type { Version } from '../api/versions.ts'

/** What is still to be set before the version can start, as a line with the command; none when nothing is. */
export function missingConfiguration({ config, runtimeId, name }: Version): string[] {
  const missing = config.vars.filter((entry) => !entry.isSet).map((entry) => entry.key)
  if (missing.length === 0) return []
  return [
    `needs values for ${missing.join(', ')}: krectl config set -r ${runtimeId} ${name} KEY=@FILE`,
  ]
}
