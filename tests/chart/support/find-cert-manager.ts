/** Where cert-manager is, which `./krectl.sh test` builds of its Go module. */
import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const ROOT = resolve(import.meta.dirname, '../../..')
const BUILD = join(ROOT, 'tests/chart/cert-manager/build.sh')

/** Folder of what `build.sh` makes, which takes minutes once; null = it can't be made here, and it was said why. */
export async function findCertManager(): Promise<string | null> {
  try {
    const env = { ...process.env, KRE_CLUSTER_DIR: join(ROOT, '.kre/test-cluster') }
    const { stdout } = await promisify(execFile)('bash', [BUILD], { env })
    return stdout.trim()
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    process.stderr.write(`skipped: certificates by cert-manager: ${stderr || String(error)}\n`)
    return null
  }
}
