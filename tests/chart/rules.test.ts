/** The alert rules of the chart, read by the grammar that Prometheus's own UI has; as the golden files show them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parser } from '@prometheus-io/lezer-promql'
import { parseAllDocuments } from 'yaml'

type Rule = { alert: string; expr: string; annotations: Readonly<Record<string, string>> }
type PrometheusRule = { kind: string; spec: { groups: { rules: Rule[] }[] } }

function rulesOf(variant: string): Rule[] {
  const text = readFileSync(join(import.meta.dirname, 'fixtures', `${variant}.yaml`), 'utf8')
  return parseAllDocuments(text)
    .map((document) => document.toJS() as PrometheusRule | null)
    .filter((object) => object?.kind === 'PrometheusRule')
    .flatMap((object) => object?.spec.groups.flatMap(({ rules }) => rules) ?? [])
}

/** Where an expression is none, with what is there. */
function mistakesIn(expression: string): string[] {
  const found: string[] = []
  parser.parse(expression).iterate({
    enter({ type, from, to }) {
      if (type.isError) found.push(`${from}: ${expression.slice(from, to + 20)}`)
    },
  })
  return found
}

/** Labels that an aggregation leaves; null = it has none, and all of them stay. */
function labelsLeft(expression: string): Set<string> | null {
  const outermost = /^\s*(?:sum|max|min|histogram_quantile\(0\.99, max)(?: by \(([^)]*)\))?/.exec(
    expression,
  )
  if (outermost === null) return null
  return new Set((outermost[1] ?? '').split(',').map((label) => label.trim()))
}

test.each(['full', 'production'])(
  'of %s are expressions, and tell labels that they have',
  (variant) => {
    const rules = rulesOf(variant)
    expect(rules.length).toBeGreaterThan(5)
    for (const { alert, expr, annotations } of rules) {
      expect({ alert, mistakes: mistakesIn(expr) }).toEqual({ alert, mistakes: [] })
      const left = labelsLeft(expr)
      const told = Object.values(annotations).flatMap(
        (text) => text.match(/(?<=\$labels\.)\w+/g) ?? [],
      )
      if (left !== null)
        expect({ alert, lacking: told.filter((label) => !left.has(label)) }).toEqual({
          alert,
          lacking: [],
        })
    }
  },
)

test.each([
  'rate(kre_requests_total[5m]',
  'sum by runtime (kre_up)',
  'kre_up{namespace=kre}',
  'max(kre_up) >',
])('that are none would be found: %s', (expression) =>
  expect(mistakesIn(expression)).not.toEqual([]),
)
