/**
 * The servers of others that run in pods, and cert-manager beside them. Run as a program it only gets them: the node's
 * network has no way out.
 */
import { join } from 'node:path'
import { findNatsServer } from '@kre/service-kit'
import { findFerretdb } from '../../../engine/store/src/testing/mongo/find-ferretdb.ts'
import { findCertManager } from '../../chart/support/find-cert-manager.ts'
import { root } from '../../support/kre.ts'

export async function findPrograms(): Promise<{ natsServer: string; ferretdb: string }> {
  const cacheDir = join(root, '.kre/cache')
  const path = process.env['PATH'] ?? ''
  const say = (text: string) => void process.stderr.write(`${text}\n`)
  return {
    natsServer: await findNatsServer({ cacheDir, path }),
    ferretdb: await findFerretdb({ cacheDir, onProgress: say }),
  }
}

if (import.meta.main) {
  await findPrograms()
  await findCertManager()
}
