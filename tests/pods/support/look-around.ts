/** A bundle whose node says what it sees from inside of its pod, and what it could do there. */
import { chainFiles } from '../../support/ledger-bundle.ts'

export type Surroundings = {
  /** Of the process, as the kernel says it. */
  status: Record<'Uid' | 'Gid' | 'CapEff' | 'CapBnd' | 'CapPrm' | 'NoNewPrivs' | 'Seccomp', string>
  /** What became of an attempt to write there: `done`, or the code of the error. */
  written: Record<string, string>
  /** Names of variables. */
  environment: string[]
  /** Files that it can read and that name the store, or hold a token of the cluster. */
  secrets: string[]
  /** What it may use, as Node sees it. */
  memoryBytes: number
}

const CODE = `
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAMES = ['Uid', 'Gid', 'CapEff', 'CapBnd', 'CapPrm', 'NoNewPrivs', 'Seccomp']
const PLACES = ['/', '/opt/kre', '/krt-files', '/kre/bundle', '/kre/launch', '/kre/access', '/tmp', '/kre/work']
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

function attempt(folder) {
  try {
    writeFileSync(join(folder, 'written'), '')
    return 'done'
  } catch (error) {
    return error.code
  }
}

function filesIn(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
  } catch {
    return []
  }
}

function readable(path) {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

export async function defaultHandler(ctx, data) {
  const { id, command } = ctx.unpack(data)
  const rows = readFileSync('/proc/self/status', 'utf8').split('\\n').map((row) => row.split(':\\t'))
  const files = [...['/kre', '/tmp', '/krt-files', '/run', '/etc', '/var/run'].flatMap(filesIn), '/proc/self/environ']
  const secrets = files.filter((path) => /mongodb[:]|BEGIN [A-Z ]*PRIVATE KEY/.test(readable(path)))
  const seen = {
    status: Object.fromEntries(rows.filter(([name]) => NAMES.includes(name))),
    written: Object.fromEntries(PLACES.map((path) => [path, attempt(path)])),
    environment: Object.keys(process.env),
    secrets: existsSync(TOKEN) ? [...secrets, TOKEN] : secrets,
    memoryBytes: process.constrainedMemory(),
  }
  await ctx.sendOutput({ $typeName: 'faults.Ticket', id, command, trail: JSON.stringify(seen) })
}
`

export function lookingFiles(version: string): Record<string, string> {
  const more = 'resources: { memory: { limit: 300Mi } }'
  return chainFiles(version, { look: { code: CODE, more } })
}
