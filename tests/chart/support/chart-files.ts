/** Files of the Helm chart. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export const CHART = join(import.meta.dirname, '../../../helm/kre')

/** Values files that everything is tried with. */
export const VARIANTS = ['minimal', 'full', 'production'] as const
export type Variant = (typeof VARIANTS)[number]

export function valuesFile(variant: Variant): string {
  return join(CHART, 'ci', `${variant}-values.yaml`)
}

export function readChartFile(path: string): string {
  return readFileSync(join(CHART, path), 'utf8')
}

export function readChartYaml(path: string): unknown {
  return parse(readChartFile(path))
}

/** All templates, by their path in the chart. */
export function readTemplates(): Map<string, string> {
  const names = readdirSync(join(CHART, 'templates'), { recursive: true, encoding: 'utf8' })
  return new Map(
    names
      .filter((name) => /\.(?:yaml|tpl|txt)$/.test(name))
      .map((name) => [name, readChartFile(join('templates', name))]),
  )
}
