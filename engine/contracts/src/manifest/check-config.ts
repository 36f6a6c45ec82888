/** Names of the configuration that a version declares: environment variables and files of its nodes. */
import type { DocumentPath } from './document-path.ts'
import type { KrtManifest } from './graph.ts'
import type { Report } from './issue-collector.ts'
import { CONFIG_NAMES_MAX } from './limits.ts'
import { suggestName } from './nearest-name.ts'
import type { CommonDraft } from './schema.ts'

/** Within KRE's own grammar, which also allowed a digit in front; no "_" at the end. At most 64 characters. */
const CONFIG_NAME = /^[A-Z](?:[A-Z0-9_]{0,62}[A-Z0-9])?$/

/** Variables that the engine sets, or that change how a node's process loads code, resolves or trusts hosts. */
const RESERVED = [
  /^KRT_/,
  /^KRE_/,
  /^NATS_/,
  /^KUBERNETES_/,
  /^PATH$/,
  /^HOME$/,
  /^LD_/,
  /^NODE_OPTIONS$/,
  /^PYTHON/,
  /_PROXY$/,
  /^SSL_CERT_/,
]

export function checkConfig(draft: CommonDraft['config'], report: Report): KrtManifest['config'] {
  const seen = new Map<string, DocumentPath>()
  const namesOf = (list: 'variables' | 'files') =>
    (draft?.[list] ?? []).flatMap((name, i): string[] => {
      if (name === undefined) return []
      checkConfigName(name, ['config', list, i], seen, report)
      return [name]
    })
  // First, as one issue for each of too many names would hide it.
  const count = (draft?.variables?.length ?? 0) + (draft?.files?.length ?? 0)
  if (count > CONFIG_NAMES_MAX) {
    const message = `config declares ${count} names, ${CONFIG_NAMES_MAX} are allowed`
    report.add({
      code: 'LIMIT_EXCEEDED',
      path: ['config'],
      message,
      hint: 'put some into one file',
    })
  }
  const config = { variables: namesOf('variables'), files: namesOf('files') }
  return { ...config, defaults: readDefaults(draft, seen, report) }
}

function checkConfigName(
  name: string,
  path: DocumentPath,
  seen: Map<string, DocumentPath>,
  report: Report,
): void {
  const shown = `configuration name "${name.slice(0, 80)}"`
  const first = seen.get(name)
  if (first !== undefined) {
    const message = `${shown} is declared twice: ${report.place(first)} and ${report.place(path)}`
    report.add({ code: 'CONFIG_DUPLICATE', path, message, hint: 'keep one of them' })
    return
  }
  seen.set(name, path)
  if (!CONFIG_NAME.test(name)) {
    const message = `${shown} is not legal: A-Z, 0-9 and "_", a letter in front, no "_" at the end, at most 64 characters`
    report.add({ code: 'CONFIG_NAME', path, message, ...legalConfigName(name) })
  } else if (RESERVED.some((pattern) => pattern.test(name))) {
    const message = `${shown} is reserved for the engine or the system`
    report.add({ code: 'CONFIG_RESERVED', path, message, hint: 'choose another name' })
  }
}

function legalConfigName(name: string): { hint?: string } {
  const legal = name
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^[_0-9]+|_+$/g, '')
    .slice(0, 64)
    .replace(/_+$/, '')
  return CONFIG_NAME.test(legal) ? { hint: `write ${legal}` } : {}
}

/** Defaults of names that are not declared reach no node, so they are reported. */
function readDefaults(
  draft: CommonDraft['config'],
  declared: ReadonlyMap<string, DocumentPath>,
  report: Report,
): Record<string, string> {
  const defaults: [string, string][] = []
  for (const [name, value] of Object.entries(draft?.defaults ?? {})) {
    if (value === undefined) continue
    if (declared.has(name)) {
      defaults.push([name, value])
      continue
    }
    report.add({
      code: 'NOT_SUPPORTED_YET',
      path: ['config', 'defaults', name],
      part: 'key',
      message: `default of "${name.slice(0, 80)}" has no effect: no variable or file of this name is declared`,
      ...suggestName(
        name,
        declared.keys(),
        'declare the name under config.variables or config.files',
      ),
    })
  }
  return Object.fromEntries(defaults)
}
