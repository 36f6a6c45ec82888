import type { KrtManifest } from '@kre/contracts'
import type { Store } from '@kre/store'
import { authorize, type Principal } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'
import { configState, type ConfigState } from './config-state.ts'

/** Which declared keys of a version have values. @throws KreError `not-found`. */
export async function readConfig(
  deps: Pick<Store, 'runtimes' | 'versions' | 'config'>,
  query: { principal: Principal; runtimeId: string; versionName: string },
): Promise<ConfigState> {
  authorize(query.principal, 'view versions')
  const version = await requireVersion(deps, query.runtimeId, query.versionName)
  const manifest: KrtManifest = version.facts.manifest
  return configState(manifest, await deps.config.get(query.runtimeId, query.versionName))
}
