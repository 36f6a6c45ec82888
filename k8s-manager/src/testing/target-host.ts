/**
 * An engine that only has a local target, as a program of its own that tests can kill:
 * `node target-host.ts <data dir> <NATS server>`; applies the workloads of `<data dir>/plan.json`, then says `applied`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Workload } from '@kre/contracts'
import { connectNats } from '@kre/service-kit'
import { createLocalTarget } from '../local/create-local-target.ts'
import { apply } from './apply.ts'
import { testDeps } from './start-local-target.ts'

const [, , dataDir = '', server = ''] = process.argv
const access = { servers: [server], user: '', password: '' }
const target = await createLocalTarget({
  ...testDeps(dataDir),
  nats: await connectNats(access, 'host'),
  runnerAccess: () => access,
  settings: { tickMs: 50 },
})
const workloads = JSON.parse(readFileSync(join(dataDir, 'plan.json'), 'utf8')) as Workload[]
await apply(target, { apply: workloads, remove: [] })
process.stdout.write('applied\n')
