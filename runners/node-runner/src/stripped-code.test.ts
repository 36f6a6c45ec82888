/** Nodes in TypeScript whose types somebody has stripped before, as a pod's first program does. */
import { stripTypeScriptTypes } from 'node:module'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { openTestBench, textOf, type TestBench } from './testing/start-node.ts'

let nats: TestNats
let bench: TestBench
let strippedPath: string
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())
beforeEach(async () => {
  bench = await openTestBench(await nats.connect(), nats.access)
  strippedPath = mkdtempSync(join(tmpdir(), 'kre-stripped-'))
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  rmSync(strippedPath, { recursive: true, force: true })
})

function strip(path: string, source: string): void {
  const file = join(strippedPath, `${path}.js`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, stripTypeScriptTypes(source).replace('as it is', 'stripped'))
}

/** Says where its files think they are, and which of them was loaded. */
const SAYS = `
  import { stem as other } from './lib/module.mts'
  import { stem as common } from './lib/common'
  export function handler(ctx: { sendOutput(output: object): void }): void {
    const own: string = import.meta.url.split('/').at(-1)
    ctx.sendOutput({ text: [own, other, common].join(', ') + ': as it is' })
  }`
const MODULE = `export const stem: string = import.meta.url.split('/').at(-1) + ' as it is'\n`
const COMMON = `const stem: string = __filename.split('/').at(-1) + ' as it is'; module.exports = { stem }\n`

test.each([
  [
    'stripped',
    ['says.ts', 'lib/module.mts', 'lib/common.ts'],
    'says.ts, module.mts stripped, common.ts stripped: stripped',
  ],
  [
    'stripped in part',
    ['lib/common.ts'],
    'says.ts, module.mts as it is, common.ts stripped: as it is',
  ],
])('code that is %s runs as it would', async (_, paths, said) => {
  const sources: Record<string, string> = {
    'says.ts': SAYS,
    'lib/module.mts': MODULE,
    'lib/common.ts': COMMON,
  }
  for (const path of paths) strip(path, sources[path] ?? '')
  bench.file('lib/module.mts', MODULE)
  bench.file('lib/common.ts', COMMON)
  await bench.node('says', SAYS, { strippedPath })
  expect(textOf(await bench.ask(''))).toBe(said)
})

test('an error names the place in the file of the bundle', async () => {
  const source = `type Unused = {\n  no: string\n}\nexport const wrong: string = missing.name\n`
  strip('fails.ts', source)
  const node = await bench.node('fails', source, { strippedPath })
  expect((await node.exited).code).not.toBe(0)
  expect(node.stderr()).toContain('fails.ts:4: ReferenceError: missing is not defined')
})
