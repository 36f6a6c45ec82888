import { dirname, extname, join } from 'node:path/posix'
import { KiB, type KrtIssue } from '@kre/contracts'
import type { BundleFile, ContentStore } from '../contents/content-store.ts'
import { warningIssue } from '../issues.ts'
import type { BundleLimits } from '../limits.ts'
import { createTypeStripper } from '../stripper/type-stripper.ts'
import { checkPythonSources } from './check-python.ts'
import { checkScript, SCRIPT_SUFFIX } from './check-script.ts'

/**
 * Finds syntax errors in the code of the nodes, as an early word to the author: what cannot be judged here
 * (compiled nodes, other languages, very large files) is left to the runner. What their modules import by a relative
 * path is looked at, too, as far as the limits go.
 *
 * @param files of the bundle, by path.
 * @param signal ends a Python process that is still at work.
 */
export async function checkSources(
  sources: readonly BundleFile[],
  files: ReadonlyMap<string, BundleFile>,
  contents: ContentStore,
  limits: BundleLimits,
  signal?: AbortSignal,
): Promise<KrtIssue[]> {
  const choice = chooseWithin(limits)
  const named = sources.map((source) => ({ source, verdict: choice.take(source) }))
  const at = (verdict: Verdict) =>
    named.filter((one) => one.verdict === verdict).map(({ source }) => source)
  const checked = at('checked')
  const scripts = checked.filter(({ path }) => SCRIPT_SUFFIX.test(path))
  const python = checked.filter(({ path }) => path.endsWith('.py'))
  const issues: KrtIssue[] = []
  let broken = 0
  await using stripper = createTypeStripper()
  // It grows on the way, by what its files import.
  for (const { path, sha256 } of scripts) {
    const found = await checkScript(path, (await contents.read(sha256)).toString('utf8'), stripper)
    if (found === null) {
      broken += 1
      continue
    }
    if (!('imports' in found)) {
      issues.push(found)
      continue
    }
    const imported = found.imports.flatMap((specifier) => importedFile(path, specifier, files))
    scripts.push(...imported.filter((file) => choice.take(file) === 'checked'))
  }
  issues.push(...(await checkPythonSources(python, contents, signal)))
  const large = at('large')
  const left = at('left').length
  for (const source of large.slice(0, LARGE_NAMED_MAX)) issues.push(tooLargeToCheck(source, limits))
  if (large.length > LARGE_NAMED_MAX)
    issues.push(
      warningIssue(
        'SRC_UNCHECKED',
        `the syntax of ${large.length - LARGE_NAMED_MAX} more large sources was not checked`,
      ),
    )
  if (broken > 0)
    issues.push(
      warningIssue(
        'SRC_UNCHECKED',
        `the syntax of ${broken} more sources was not checked: the type stripper broke on too many others`,
      ),
    )
  if (left > 0)
    issues.push(
      warningIssue(
        'SRC_UNCHECKED',
        `the syntax of ${left} more sources was not checked: together they are too large`,
      ),
    )
  return issues
}

/** Large sources that are named one by one; of others there is the number. */
const LARGE_NAMED_MAX = 20

function tooLargeToCheck({ path, size }: BundleFile, limits: BundleLimits): KrtIssue {
  const [bytes, bytesMax] = [size, limits.checkedSourceBytesMax].map((count) =>
    count < KiB ? `${count} bytes` : `${Math.ceil(count / KiB)} KiB`,
  )
  return warningIssue(
    'SRC_UNCHECKED',
    `the syntax was not checked: the source has ${bytes}, and up to ${bytesMax} are checked`,
    { file: path },
    'generated code and data that are not the code of a node need not be sources',
  )
}

type Verdict = 'checked' | 'large' | 'left' | 'skipped'

/** Decides file by file what is checked. The same content under another name is not checked twice. */
function chooseWithin(limits: BundleLimits): { take(file: BundleFile): Verdict } {
  const seen = new Set<string>()
  let bytes = 0
  return {
    take({ path, sha256, size }) {
      const key = `${sha256}${extname(path)}`
      const isChecked = SCRIPT_SUFFIX.test(path) || path.endsWith('.py')
      if (!isChecked || seen.has(key)) return 'skipped'
      seen.add(key)
      if (size > limits.checkedSourceBytesMax) return 'large'
      bytes += size
      return bytes > limits.checkedSourcesTotalBytesMax ? 'left' : 'checked'
    },
  }
}

/** Nothing where the bundle has no such file: it may be made when the version starts, as modules of protos are. */
function importedFile(
  importer: string,
  specifier: string,
  files: ReadonlyMap<string, BundleFile>,
): BundleFile[] {
  if (!/^\.\.?\//.test(specifier)) return []
  const file = files.get(join(dirname(importer), specifier.replace(/[?#].*$/s, '')))
  return file === undefined || !SCRIPT_SUFFIX.test(file.path) ? [] : [file]
}
