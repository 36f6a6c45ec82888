/** `npm run bench:scale -- cluster|nats|loss …`: see `--help`. What is found is in docs/scale.md. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loseEngine } from './lose-engine.ts'

const USAGE = `npm run bench:scale -- cluster [--steps 10,50,100] [--shape versions|runtimes] [--nodes 2] [--steady 60] [--v8=FLAGS] [--profile FOLDER] [--json FILE]
npm run bench:scale -- nats [--steps 10,50,100] [--json FILE]
npm run bench:scale -- loss [--minutes 1] [--rate 20] [--credentials-ms MS] [--json FILE]

  cluster  the engine on a cluster whose machines are fake: KRE_TEST_CLUSTER is its kubeconfig (tests/cluster/machine/up.sh)
  nats     streams, consumers and accounts that one nats-server carries, and what a pass over a runtime asks of it
  loss     calls to a version while no engine process is there`

/** The engine's flags in images/Containerfile. */
const AS_THE_IMAGE = '--max-semi-space-size=2 --v8-pool-size=1 --optimize-for-size'

class UsageError extends Error {}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      steps: { type: 'string', default: '10,50,100' },
      shape: { type: 'string', default: 'versions' },
      nodes: { type: 'string', default: '2' },
      steady: { type: 'string', default: '60' },
      v8: { type: 'string', default: AS_THE_IMAGE },
      profile: { type: 'string' },
      minutes: { type: 'string', default: '1' },
      rate: { type: 'string', default: '20' },
      'credentials-ms': { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return
  }
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new Error('interrupted')))
  const { signal } = interrupted
  const say = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`)
  const number = (name: string, text: string) => {
    const value = Number(text)
    if (!(value > 0)) throw new UsageError(`--${name} takes a number above 0, not "${text}"`)
    return value
  }
  const steps = values.steps.split(',').map((one) => number('steps', one))
  const run = async (): Promise<unknown> => {
    switch (positionals[0] ?? '') {
      case 'cluster': {
        const { shape } = values
        if (shape !== 'versions' && shape !== 'runtimes')
          throw new UsageError(`--shape is versions or runtimes, not "${shape}"`)
        const kubeconfig = process.env['KRE_TEST_CLUSTER']
        if (kubeconfig === undefined)
          throw new UsageError('KRE_TEST_CLUSTER is not set: start tests/cluster/machine/up.sh')
        const { measureCluster } = await import('./measure-cluster.ts')
        const steadySeconds = number('steady', values.steady)
        const { profile: profileDir = null } = values
        const nodes = number('nodes', values.nodes)
        const of = { steps, nodes, steadySeconds, kubeconfig, profileDir, say, signal }
        return measureCluster({ ...of, shape, v8: values.v8.split(' ') })
      }
      case 'nats': {
        const { measureNats } = await import('./measure-nats.ts')
        return measureNats({ steps, say, signal })
      }
      case 'loss': {
        const dir = await mkdtemp(join(tmpdir(), 'kre-loss-'))
        const given = values['credentials-ms']
        try {
          return await loseEngine({
            dir,
            minutes: number('minutes', values.minutes),
            callsPerSecond: number('rate', values.rate),
            credentialsMs: given === undefined ? null : number('credentials-ms', given),
            say,
            signal,
          })
        } finally {
          await rm(dir, { recursive: true, force: true })
        }
      }
      default:
        throw new UsageError(`"${positionals[0] ?? ''}" is nothing to measure`)
    }
  }
  const found = await run()
  console.log(JSON.stringify(found, null, 2))
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(found, null, 2)}\n`)
}

await main().catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 2
})
