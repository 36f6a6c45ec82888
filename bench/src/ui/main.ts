/** `npm run bench:ui -- [--minutes N] [--json FILE]`: what the admin UI costs a browser, against its goals. */
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildUi } from '../../../admin-ui/build/build-ui.ts'
import { launchBrowser } from '../../../tests/support/browser.ts'
import { openCostMeter } from './browser-cost.ts'
import { measureClicks } from './measure-clicks.ts'
import { measureFirstLoad } from './measure-first-load.ts'
import { measureHeap } from './measure-heap.ts'
import { measureLogs } from './measure-logs.ts'
import { RUNTIME_ID, VERSION_NAME } from './sample-world.ts'
import { startScriptedApi } from './scripted-api.ts'
import { goalRows, type UiFigures } from './ui-goals.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const UPDATES_PER_SECOND = 10
const GRAPH_MS = 20_000
const LOG_LINES = 100_000

/** @param minutes of updates over which the heap is looked at. */
async function measure(minutes: number, say: (line: string) => void): Promise<UiFigures> {
  await buildUi()
  await using api = await startScriptedApi({
    dist: join(ROOT, 'admin-ui/dist'),
    schema: join(ROOT, 'engine/contracts/src/graphql/schema.graphql'),
    operations: await readOperations(),
  })
  const browser = await launchBrowser()
  try {
    say('first load')
    const load = await measureFirstLoad(browser, api.url)
    const page = await browser.newPage({ viewport: { width: 1360, height: 860 } })
    const version = `${api.url}/ui/runtimes/${RUNTIME_ID}/versions/${VERSION_NAME}`
    api.setRate(UPDATES_PER_SECOND)
    await page.goto(`${version}/status`)
    await page.locator('.card-far-figures').nth(59).waitFor()
    await page.waitForTimeout(2_000)
    say(`graph of 60 nodes, ${UPDATES_PER_SECOND} updates a second`)
    const meter = await openCostMeter(browser, page)
    const graph = await meter.measure(() => page.waitForTimeout(GRAPH_MS))
    const clicks = await measureClicks(page, meter, graph.mainThread)
    say(`heap over ${minutes} min`)
    const heap = await measureHeap(page, minutes, say)
    say(`log of ${LOG_LINES} lines`)
    const logs = await measureLogs(browser, page, api, {
      url: `${version}/logs`,
      lines: LOG_LINES,
    })
    return { load, graph, clicks, heap, logs }
  } finally {
    await browser.close()
  }
}

/** The UI names its operations by their digests. */
async function readOperations(): Promise<ReadonlyMap<string, string>> {
  const file = join(ROOT, 'engine/contracts/src/graphql/ui-operations.json')
  const texts = JSON.parse(await readFile(file, 'utf8')) as string[]
  return new Map(texts.map((text) => [createHash('sha256').update(text).digest('hex'), text]))
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '3' }, json: { type: 'string' } },
  })
  const minutes = Number(values.minutes)
  if (!(minutes > 0)) {
    console.error(`--minutes takes a number above 0, not "${values.minutes}"`)
    return 2
  }
  const figures = await measure(minutes, (line) => console.log(line))
  console.log(
    `load of the computer: ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} processors`,
  )
  for (const row of goalRows(figures)) console.log(row)
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`)
  return 0
}

process.exitCode = await main()
