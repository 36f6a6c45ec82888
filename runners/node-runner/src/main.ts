/** The process of one node replica: `node main.ts` with the path of its launch file in `KRE_LAUNCH_FILE`. */
import { readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'

enableCompileCache()
const exit = process.exit.bind(process)
const complain = process.stderr.write.bind(process.stderr)
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())

const { toKreError, NodeLaunch } = await import('@kre/contracts/runtime')
const { EXIT } = await import('./exit-codes.ts')
const { runNode } = await import('./run-node.ts')
const { loadAhead, loadEverything } = await import('./process/load-ahead.ts')
try {
  const path = process.env['KRE_LAUNCH_FILE'] ?? ''
  // Started with nothing to run, to have its code compiled for those that run something.
  if (path === '') await loadEverything()
  const launch = NodeLaunch.parse(JSON.parse(readFileSync(path, 'utf8')))
  await loadAhead(launch, process.env, stop.signal)
  exit(await runNode(launch, process.env, stop.signal))
} catch (error) {
  const { code, message } = toKreError(error)
  complain(`${message.replaceAll('\n', ' ')}\n`)
  exit(code === 'failed-precondition' ? EXIT.config : EXIT.software)
}
