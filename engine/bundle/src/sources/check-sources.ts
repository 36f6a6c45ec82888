import type { KrtIssue } from '@kre/contracts'
import type { BundleFile, ContentStore } from '../contents/content-store.ts'
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
  const checked = sources.filter(({ size }) => size <= limits.checkedSourceBytesMax)
  const issues: KrtIssue[] = []
  for (const { path, sha256 } of checked.filter(({ path }) => SCRIPT_SUFFIX.test(path))) {
    const issue = checkScript(path, (await contents.read(sha256)).toString('utf8'))
    if (issue !== null) issues.push(issue)
  }
  const python = checked.filter(({ path }) => path.endsWith('.py'))
  issues.push(...(await checkPythonSources(python, contents, signal)))
  return issues
}
