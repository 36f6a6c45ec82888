/** Which files of a package an image needs: what runs, and its licence. Pure decisions about paths. */
import type { Platform } from './lock-tree.ts'

/** Of our own packages: tests, and what only they use. */
const OUR_TESTS =
  /(?:^|\/)(?:testing|tests|fixtures|scripts)\/|(?:\.test|-conformance|-contract)\.ts$|\.snap$/
/** Folders of tools, and what belongs to a checkout. */
const OUR_REST =
  /(?:^|\/)(?:node_modules|dist|coverage|__pycache__)(?:\/|$)|\.(?:md|pyc|tsbuildinfo)$/

/** Licences go along with what they are for, whatever their file is called. */
const LICENCE = /(?:^|\/)(?:licen[cs]e|copying|notice|authors|patents)[^/]*$/i
/** For developers: types, maps, documents, sources of what was compiled. */
const DEVELOPERS =
  /\.(?:d\.[cm]?ts|[cm]?ts|tsx|map|md|markdown|flow|html|css|yml|yaml|tgz|gyp|gypi|c|cc|cpp|h|hpp|lock)$|(?:^|\/)(?:\.[^/]+|tsconfig[^/]*\.json|bower\.json|karma\.conf\.js|gruntfile\.js|makefile|jest\.config\.[cm]?js)$/i
const FOREIGN_TESTS = /^(?:test|tests|spec)\/|[.-](?:test|spec)\.[cm]?js$/

/** Folders that no package loads code from when it runs. */
const DEVELOPER_FOLDERS =
  /(?:^|\/)(?:\.github|\.vscode|__tests__|benchmarks?|coverage|examples?|man)\//

/** @param path from the package's folder, with `/`. */
export function isOursShipped(path: string): boolean {
  return !OUR_TESTS.test(path) && !OUR_REST.test(path)
}

/** @param path from the package's folder, with `/`. */
export function isLicence(path: string): boolean {
  return LICENCE.test(path)
}

/** @param path from the package's folder, with `/`; its own node_modules are packages of their own. */
export function isForeignShipped(path: string, name: string, platform: Platform): boolean {
  if (/(?:^|\/)node_modules(?:\/|$)/.test(path)) return false
  if (isLicence(path)) return true
  if (name === 'onnxruntime-node' && !isOnnxOf(path, platform)) return false
  return !DEVELOPERS.test(path) && !FOREIGN_TESTS.test(path) && !DEVELOPER_FOLDERS.test(path)
}

/** Its package holds the libraries of all platforms, and an install script for those of GPUs. */
function isOnnxOf(path: string, { os, cpu }: Platform): boolean {
  if (path.startsWith('script/')) return false
  const [, system, processor] = /^bin\/[^/]+\/([^/]+)(?:\/([^/]+))?/.exec(path) ?? []
  return (system === undefined || system === os) && (processor === undefined || processor === cpu)
}
