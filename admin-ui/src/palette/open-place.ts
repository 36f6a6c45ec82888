import { useRoute } from 'wouter'
import { patterns } from '../path-builder.ts'

/** What is open, as far as the address says it. */
export type OpenPlace = { readonly runtimeId: string | null; readonly versionName: string | null }

export function useOpenPlace(): OpenPlace {
  const [isVersion, version] = useRoute<{ runtimeId: string; name: string }>(patterns.version)
  const [isRuntime, runtime] = useRoute<{ runtimeId: string }>('/runtimes/:runtimeId/*?')
  if (isVersion) return { runtimeId: version.runtimeId, versionName: version.name }
  return { runtimeId: isRuntime ? runtime.runtimeId : null, versionName: null }
}
