/** The chart's README: an introduction, and a table of all values, which their comments describe. Pure. */
import { parse } from 'yaml'

export type DescribedValue = { path: string; description: string; value: unknown }

/** Values whose comment begins with `--`, in the order of the file. */
export function describeValues(text: string): DescribedValue[] {
  const values: unknown = parse(text)
  const described: DescribedValue[] = []
  const parents: { indent: number; key: string }[] = []
  let description: string | null = null
  for (const line of text.split('\n')) {
    const comment = /^ *# -- (.+)$/.exec(line)?.[1]
    if (comment !== undefined) {
      description = comment
      continue
    }
    const [, indent = '', key] = /^( *)([\w-]+):/.exec(line) ?? []
    if (key === undefined) continue
    while ((parents.at(-1)?.indent ?? -1) >= indent.length) parents.pop()
    parents.push({ indent: indent.length, key })
    if (description === null) continue
    const path = parents.map((parent) => parent.key)
    described.push({ path: path.join('.'), description, value: valueAt(values, path) })
    description = null
  }
  return described
}

/** Paths of everything that is no object with keys. */
export function leavesOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path]
  const entries = Object.entries(value)
  if (entries.length === 0) return [path]
  return entries.flatMap(([key, one]) => leavesOf(one, path === '' ? key : `${path}.${key}`))
}

export function chartReadme(introduction: string, values: string): string {
  const sections = Map.groupBy(describeValues(values), ({ path }) => sectionOf(path))
  const tables = [...sections].map(([section, rows]) =>
    [
      `### ${section}`,
      '',
      '| value | default | meaning |',
      '| --- | --- | --- |',
      ...rows.map(row),
      '',
    ].join('\n'),
  )
  return `${introduction.trimEnd()}\n\n## Values\n\n${tables.join('\n')}`
}

function sectionOf(path: string): string {
  return path.includes('.') ? (path.split('.')[0] ?? '') : 'General'
}

function row({ path, description, value }: DescribedValue): string {
  const shown = JSON.stringify(value)
  return `| \`${path}\` | \`${shown}\` | ${description.replaceAll('|', '\\|')} |`
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    value,
  )
}
