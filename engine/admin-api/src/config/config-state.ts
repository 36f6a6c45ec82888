import type { KrtManifest } from '@kre/contracts'
import type { ConfigEntry, ConfigType } from '@kre/store'

/** What may be known of a configuration value: never the value itself. */
export type ConfigVariable = {
  readonly key: string
  readonly type: ConfigType
  readonly isSet: boolean
  readonly updatedAt: Date | null
}

export type ConfigState = {
  readonly vars: readonly ConfigVariable[]
  /** Declared keys without a value and without a default in the manifest, in the order of `vars`. */
  readonly missing: readonly string[]
}

/** The keys that a manifest declares: files first, then variables. */
export function declaredKeys(
  manifest: Pick<KrtManifest, 'config'>,
): readonly { key: string; type: ConfigType }[] {
  return [
    ...manifest.config.files.map((key) => ({ key, type: 'FILE' as const })),
    ...manifest.config.variables.map((key) => ({ key, type: 'VARIABLE' as const })),
  ]
}

function hasDefault(defaults: Readonly<Record<string, string>>, key: string): boolean {
  return Object.hasOwn(defaults, key) && defaults[key] !== ''
}

/** Declared keys against stored values; a value of another type or an empty one counts as not set. */
export function configState(
  manifest: Pick<KrtManifest, 'config'>,
  entries: readonly ConfigEntry[],
): ConfigState {
  const stored = new Map(entries.map((entry) => [entry.key, entry]))
  const vars = declaredKeys(manifest).map(({ key, type }): ConfigVariable => {
    const entry = stored.get(key)
    const isSet = entry !== undefined && entry.type === type && entry.value !== ''
    return { key, type, isSet, updatedAt: isSet ? entry.updatedAt : null }
  })
  const { defaults } = manifest.config
  const missing = vars.filter(({ key, isSet }) => !isSet && !hasDefault(defaults, key))
  return { vars, missing: missing.map(({ key }) => key) }
}
