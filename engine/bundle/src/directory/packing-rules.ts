/** Which files of a folder go into a bundle, and which of those deserve a warning. */
import ignore from 'ignore'

export const IGNORE_FILE = '.krtignore'

/** Never part of a bundle: version control, installed packages and caches are rebuilt where they are needed. */
const ALWAYS_LEFT_OUT: ReadonlySet<string> = new Set([
  '.DS_Store',
  '.git',
  '.venv',
  '__pycache__',
  'node_modules',
])
const SECRET_NAME =
  /^(?:\.env(?:\..+)?|.+\.(?:pem|key|p12|pfx|jks|keystore)|id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|\.npmrc|\.pypirc|credentials(?:\.json)?|service-account.*\.json)$/i
const SECRET_TEMPLATE = /^\.env\.(?:example|sample|template)$/i
export const LARGE_FILE_BYTES = 100_000_000

export type PackingRules = {
  /** @param path relative, with `/`, no trailing slash */
  isLeftOut(path: string, isDirectory: boolean): boolean
}

/**
 * @param ignoreText content of `.krtignore`: patterns of gitignore
 * @param leaveOut further paths, in the form `isLeftOut` takes
 */
export function createPackingRules(
  ignoreText: string,
  leaveOut: readonly string[] = [],
): PackingRules {
  const patterns = ignore().add(ignoreText)
  return {
    isLeftOut(path, isDirectory) {
      if (leaveOut.includes(path)) return true
      const name = path.slice(path.lastIndexOf('/') + 1)
      if (ALWAYS_LEFT_OUT.has(name) || name.startsWith('._')) return true
      return patterns.ignores(isDirectory ? `${path}/` : path)
    },
  }
}

/** Whether a file of this name usually holds a secret, which a bundle shows to everybody who can download it. */
export function looksSecret(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return SECRET_NAME.test(name) && !SECRET_TEMPLATE.test(name)
}
