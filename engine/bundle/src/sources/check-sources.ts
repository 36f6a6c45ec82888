import { extname } from 'node:path/posix'
import { KiB, type KrtIssue } from '@kre/contracts'
import type { BundleFile, ContentStore } from '../contents/content-store.ts'
import { warningIssue } from '../issues.ts'
import type { BundleLimits } from '../limits.ts'
import { checkPythonSources } from './check-python.ts'
import { checkScript, SCRIPT_SUFFIX } from './check-script.ts'

/**
 * Finds syntax errors in the code of the nodes, as an early word to the author: what cannot be judged here
 * (compiled nodes, other languages, very large files) is left to the runner.
 *
 * @param signal ends a Python process that is still at work.
 */
export async function checkSources(
  sources: readonly BundleFile[],
  contents: ContentStore,
  limits: BundleLimits,
  signal?: AbortSignal,
): Promise<KrtIssue[]> {
  const { checked, large, left } = withinLimits(sources, limits)
  const issues: KrtIssue[] = []
  for (const { path, sha256 } of checked.filter(({ path }) => SCRIPT_SUFFIX.test(path))) {
    const issue = checkScript(path, (await contents.read(sha256)).toString('utf8'))
    if (issue !== null) issues.push(issue)
  }
  const python = checked.filter(({ path }) => path.endsWith('.py'))
  issues.push(...(await checkPythonSources(python, contents, signal)))
  for (const source of large.slice(0, LARGE_NAMED_MAX)) issues.push(tooLargeToCheck(source, limits))
  if (large.length > LARGE_NAMED_MAX)
    issues.push(
      warningIssue(
        'SRC_UNCHECKED',
        `the syntax of ${large.length - LARGE_NAMED_MAX} more large sources was not checked`,
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

/** The same content under another name is not checked twice. */
function withinLimits(
  sources: readonly BundleFile[],
  limits: BundleLimits,
): { checked: BundleFile[]; large: BundleFile[]; left: number } {
  const seen = new Set<string>()
  const checked: BundleFile[] = []
  const large: BundleFile[] = []
  let bytes = 0
  let left = 0
  for (const source of sources) {
    const key = `${source.sha256}${extname(source.path)}`
    const isChecked = SCRIPT_SUFFIX.test(source.path) || source.path.endsWith('.py')
    if (!isChecked || seen.has(key)) continue
    seen.add(key)
    if (source.size > limits.checkedSourceBytesMax) {
      large.push(source)
      continue
    }
    bytes += source.size
    if (bytes > limits.checkedSourcesTotalBytesMax) left += 1
    else checked.push(source)
  }
  return { checked, large, left }
}
