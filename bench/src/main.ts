/** `npm run bench [-- --suite NAME --quick --json FILE]` */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { runChains } from './chains-suite.ts'

const SUITES = { chains: runChains }

const { values } = parseArgs({
  options: {
    suite: { type: 'string', default: 'chains' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})
const suite = Object.entries(SUITES).find(([name]) => name === values.suite)?.[1]
if (suite === undefined) {
  console.error(`there is no suite "${values.suite}"; there are: ${Object.keys(SUITES).join(', ')}`)
  process.exitCode = 2
} else {
  const report = await suite({ quick: values.quick, say: (line) => console.log(line) })
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
  if (report.failed > 0) {
    console.error(`${report.failed} requests failed`)
    process.exitCode = 1
  }
}
