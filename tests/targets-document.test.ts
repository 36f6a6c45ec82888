/** docs/targets.md says of each target what its tests say. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { conformanceTable, readTable } from './support/conformance-table.ts'
import { root } from './support/kre.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const document = read('docs/targets.md')

describe('docs/targets.md', () => {
  test('has a row for each test that every target passes, in their order', () => {
    const suite = read('k8s-manager/src/target-conformance.ts')
    const names = [...suite.matchAll(/^ {4}test\('(.*)', async/gm)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(8)
    const rows = readTable(document, 'what every target does')
    expect(rows.map(([name]) => name)).toEqual(names)
    for (const [name, ...results] of rows)
      for (const result of results)
        expect([name, result]).toEqual([name, expect.stringMatching(/^passes, \d+\.\d s$/)])
  })

  test('names tests that there are', () => {
    const rows = readTable(document, 'fault')
    expect(rows.length).toBeGreaterThan(15)
    for (const [fault, , , proof = ''] of rows) {
      const [file = '', name = 'none'] = proof.split(' › ')
      expect([fault, read(file).includes(`'${name}`)]).toEqual([fault, true])
    }
  })
})

describe('the table of conformance', () => {
  const report = (results: readonly [string, string, number][]) => ({
    testResults: [
      {
        assertionResults: results.map(([title, status, duration]) => ({
          ancestorTitles: ['x as a target'],
          title,
          status,
          duration,
        })),
      },
    ],
  })

  test('puts the same test of all targets into one row, and shows what fails or is missing', () => {
    const table = conformanceTable({
      local: report([
        ['starts', 'passed', 1_240],
        ['ends', 'failed', 10],
      ]),
      Kubernetes: report([['starts', 'passed', 60]]),
    })
    expect(readTable(table, 'what every target does')).toEqual([
      ['starts', 'passes, 1.2 s', 'passes, 0.1 s'],
      ['ends', 'FAILS', 'not run'],
    ])
  })
})
