/**
 * What pods of the Helm chart run before their own program. `server FILE` writes the configuration of one server of the
 * NATS cluster, `keys FILE` the keys that its engine needs; both out of the Secret that the chart has made.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { KreError, toKreError } from '@kre/contracts'
import { z } from 'zod'
import { clusterConfig } from './cluster-config.ts'
import { readSeeds } from './read-seeds.ts'

const Keys = z.object({ KRE_NATS_SEEDS: z.string().min(1) })
const Server = Keys.extend({
  POD_NAME: z.string().min(1),
  KRE_NATS_CLUSTER: z.string().min(1),
  /** Host names, with commas between them. */
  KRE_NATS_PEERS: z.string().min(1),
  KRE_NATS_STORE: z.string().startsWith('/'),
  /** Absent = without TLS. */
  KRE_NATS_TLS_DIR: z.string().startsWith('/').optional(),
})

try {
  const [verb = '', out = ''] = process.argv.slice(2)
  await writeFile(out, await contents(verb), { mode: 0o600 })
} catch (error) {
  process.stderr.write(`${toKreError(error).message}\n`)
  process.exit(1)
}

async function contents(verb: string): Promise<string> {
  if (verb === 'keys')
    return JSON.stringify(await readSeeds(parse(Keys, process.env).KRE_NATS_SEEDS))
  if (verb !== 'server')
    throw new KreError('invalid-argument', `usage: main.ts server|keys FILE, not "${verb}"`)
  const e = parse(Server, process.env)
  return clusterConfig({
    name: e.POD_NAME,
    cluster: e.KRE_NATS_CLUSTER,
    peers: e.KRE_NATS_PEERS.split(','),
    password: (await readFile(`${e.KRE_NATS_SEEDS}/routes`, 'utf8')).trim(),
    storeDir: `${e.KRE_NATS_STORE}/jetstream`,
    accountsDir: `${e.KRE_NATS_STORE}/accounts`,
    keys: await readSeeds(e.KRE_NATS_SEEDS),
    ...(e.KRE_NATS_TLS_DIR === undefined ? {} : { tlsDir: e.KRE_NATS_TLS_DIR }),
  })
}

function parse<T>(schema: z.ZodType<T>, environment: unknown): T {
  const parsed = schema.safeParse(environment)
  if (parsed.success) return parsed.data
  const names = parsed.error.issues.map(({ path }) => path.join('.'))
  throw new KreError('invalid-argument', `set ${names.join(', ')}`)
}
