/** The cluster with a real node that `./krectl.sh test --pods` starts. */

/** Folder of the cluster; empty = there is none. */
export const NODE_DIR = process.env['KRE_TEST_PODS'] ?? ''

/** Why pods can't be tried here, which is said; null = they can. */
export function whyNoPods(): string | null {
  if (NODE_DIR !== '') return null
  const why = 'They need a cluster with a real node: run ./krectl.sh test --pods, as root'
  process.stderr.write(`skipped: tests of pods. ${why}\n`)
  return why
}
