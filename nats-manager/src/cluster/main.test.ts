import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readSeeds } from './read-seeds.ts'

const PROGRAM = join(import.meta.dirname, 'main.ts')
let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-seeds-'))
  for (const name of ['operator', 'system', 'engine'])
    await writeFile(join(dir, name), randomBytes(32).toString('base64'))
  await writeFile(join(dir, 'routes'), 'password\n')
})
afterAll(async () => rm(dir, { recursive: true, force: true }))

async function run(verb: string, environment: Record<string, string>): Promise<string> {
  const out = join(dir, 'out')
  await promisify(execFile)(process.execPath, [PROGRAM, verb, out], { env: environment })
  expect((await stat(out)).mode & 0o777).toBe(0o600)
  return readFile(out, 'utf8')
}

describe('the program that pods of the chart run first', () => {
  test('writes the keys of the engine', async () => {
    const keys: unknown = JSON.parse(await run('keys', { KRE_NATS_SEEDS: dir }))
    expect(keys).toEqual(await readSeeds(dir))
  })

  test('writes the configuration of a server', async () => {
    const config = await run('server', {
      KRE_NATS_SEEDS: dir,
      POD_NAME: 'kre-nats-1',
      KRE_NATS_CLUSTER: 'kre',
      KRE_NATS_PEERS: 'kre-nats-0.peers,kre-nats-1.peers,kre-nats-2.peers',
      KRE_NATS_STORE: '/var/lib/nats/store',
    })
    expect(config).toContain('server_name: "kre-nats-1"')
    expect(config).toContain('"nats://kre:password@kre-nats-2.peers:6222"')
    expect(config).toContain('store_dir: "/var/lib/nats/store/jetstream"')
  })

  test('says what it lacks', async () => {
    await expect(run('server', { KRE_NATS_SEEDS: dir })).rejects.toThrow(
      'set POD_NAME, KRE_NATS_CLUSTER, KRE_NATS_PEERS, KRE_NATS_STORE',
    )
    await expect(run('serve', {})).rejects.toThrow('usage: main.ts server|keys FILE')
  })
})
