/** Runs the suite of all targets on each of them, and writes docs/targets.md. Needs a test cluster: KRE_TEST_CLUSTER. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { conformanceTable, JestReport } from './conformance-table.ts'

const root = resolve(import.meta.dirname, '../..')
const DOCUMENT = join(root, 'docs/targets.md')
const FILES = {
  local: 'k8s-manager/src/local/create-local-target.test.ts',
  'Kubernetes in memory': 'k8s-manager/src/kubernetes/create-kubernetes-target.test.ts',
  Kubernetes: 'tests/cluster/kubernetes-target.test.ts',
}

const home = mkdtempSync(join(tmpdir(), 'kre-conformance-'))
const report = (file: string): JestReport => {
  const output = join(home, 'report.json')
  const args = ['test', '--', file, '-t', 'as a target', '--json', `--outputFile=${output}`]
  spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  return JestReport.parse(JSON.parse(readFileSync(output, 'utf8')))
}
const reports = Object.fromEntries(
  Object.entries(FILES).map(([target, file]) => [target, report(file)]),
)
rmSync(home, { recursive: true })
const text = readFileSync(DOCUMENT, 'utf8')
const [start = '', end = ''] = text.match(/<!-- (?:end of )?conformance.*-->/g) ?? []
const before = text.slice(0, text.indexOf(start) + start.length)
writeFileSync(
  DOCUMENT,
  `${before}\n\n${conformanceTable(reports)}\n\n${text.slice(text.indexOf(end))}`,
)
