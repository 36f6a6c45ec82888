/** How the laptop's engine starts and ends when something is in its way. */
import { spawnSync } from 'node:child_process'
import { copyFile, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { createKre, isAlive, pidsOf, root, type Kre, type Status } from './support/kre.ts'

let kre: Kre

async function up(): Promise<void> {
  await kre.json('dev', '--detach', '--no-example')
}

async function enginePid(): Promise<number> {
  const { processes } = await kre.json<Status>('status')
  return processes.find(({ role }) => role === 'engine')?.pid ?? 0
}

beforeAll(async () => {
  kre = await createKre()
})
afterAll(async () => kre?.[Symbol.asyncDispose]())

describe('with a version that runs', () => {
  const answers = async () =>
    (await kre.run('call', '-r', 'mine', 'Greet', '{"name": "Ada"}')).stdout.includes('Hello, Ada!')

  beforeAll(async () => {
    await up()
    await kre.json('runtime', 'create', 'mine')
    const bundle = join(kre.dataDir, '..', 'hello')
    await kre.json('krt', 'init', bundle)
    await kre.json('version', 'create', '-r', 'mine', bundle)
    await kre.json('version', 'start', '-r', 'mine', 'hello-v1')
    await kre.json('version', 'publish', '-r', 'mine', 'hello-v1')
  })
  afterAll(async () => {
    await up()
    await kre.json('version', 'unpublish', '-r', 'mine', 'hello-v1')
    await kre.json('version', 'stop', '-r', 'mine', 'hello-v1')
  })

  test('dev takes over what a killed engine left running', async () => {
    const before = await kre.json<Status>('status')
    process.kill(await enginePid(), 'SIGKILL')
    await up()
    const after = await kre.json<Status>('status')
    const rest = (status: Status) => status.processes.filter(({ role }) => role !== 'engine')
    expect(rest(after)).toEqual(rest(before))
    expect(await answers()).toBe(true)
  })

  test('stop ends what a killed engine left behind', async () => {
    const pids = await pidsOf(kre)
    process.kill(await enginePid(), 'SIGKILL')
    expect(await kre.run('stop')).toMatchObject({
      code: 0,
      stdout: 'No engine was running; nothing of an earlier one is left running either.\n',
    })
    await waitUntil('all gone', () => !pids.some(isAlive))
    await up()
    expect(await answers()).toBe(true)
  })

  test('stop ends an engine that hangs, by force', async () => {
    const pids = await pidsOf(kre)
    process.kill(await enginePid(), 'SIGSTOP')
    expect(await kre.run('stop', '--force')).toMatchObject({ code: 0 })
    await waitUntil('all gone', () => !pids.some(isAlive))
  })
})

describe('stop', () => {
  test('is harmless where nothing runs', async () => {
    await kre.run('stop')
    expect(await kre.run('stop')).toMatchObject({ code: 0, stderr: '' })
    expect(await kre.run('stop', '--data', join(kre.dataDir, 'nowhere'))).toMatchObject({
      code: 0,
      stdout: 'No engine was running.\n',
    })
  })
})

describe('dev', () => {
  test('gives one engine to two that ask at once', async () => {
    await kre.run('stop')
    const [one, other] = await Promise.all(
      [1, 2].map(() => kre.json<{ pid: number }>('dev', '--detach', '--no-example')),
    )
    expect(one?.pid).toBe(other?.pid)
  })

  test('stops everything at the end of its foreground', async () => {
    await kre.run('stop')
    const dev = kre.start('dev', '--no-example')
    await waitUntil('up', () => dev.written.stdout.includes('Ctrl-C'))
    const pids = await pidsOf(kre)
    dev.child.kill('SIGINT')
    expect(await dev.ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/stopped/) })
    expect(pids.filter(isAlive)).toEqual([])
  })

  test('leaves nothing behind when it is interrupted on its way up', async () => {
    await kre.run('stop')
    const dev = kre.start('dev', '--no-example')
    await waitUntil('begun', () => dev.written.stderr.includes('Starting'))
    dev.child.kill('SIGINT')
    expect((await dev.ended).code).toBe(130)
    await waitUntil('no engine', async () => (await kre.run('status')).code === 69, {
      everyMs: 500,
    })
  })

  test('takes free ports where the wanted ones are taken, and says so', async () => {
    await kre.run('stop')
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    try {
      await using other = await createKre({
        KRE_ADMIN_PORT: String(port),
        KRE_ENTRYPOINT_PORT: String(port),
      })
      const dev = await other.run('dev', '--detach', '--no-example')
      expect(dev).toMatchObject({
        code: 0,
        stderr: expect.stringContaining(`port ${port} is taken`),
      })
      expect(dev.stdout).not.toContain(`:${port}/`)
    } finally {
      taken.close()
    }
  })

  test.each([
    ['a file', () => join(root, 'package.json'), 'there is a file in its place'],
    ['in a file', () => join(root, 'package.json', 'x'), 'there is a file in its place'],
    ['where nothing can be written', () => '/proc/kre', 'can not be written'],
  ])('refuses a data folder that is %s', async (_what, folder, reason) => {
    const refused = await kre.run('dev', '--detach', '--data', folder())
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(reason) })
    expect(refused.stderr.trim().split('\n')).toHaveLength(2)
  })

  test('names the choices where no nats-server can be had', async () => {
    const bin = join(kre.dataDir, '..', 'bin')
    await mkdir(bin, { recursive: true })
    await symlink(process.execPath, join(bin, 'node'))
    await using poor = await createKre({ PATH: bin, KRE_CACHE: join(bin, 'cache') })
    const refused = await poor.run('dev', '--detach')
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no nats-server .*apt-get install nats-server.*python3.*Go/),
    })
    expect((await poor.run('doctor')).code).toBe(1)
  })
})

describe('an engine', () => {
  beforeEach(up)

  test('is alone on its data folder', async () => {
    const refused = spawnSync(
      process.execPath,
      [join(root, 'engine/all-in-one/src/main.ts'), 'run'],
      {
        env: { PATH: process.env['PATH'], KRE_DATA: kre.dataDir },
        encoding: 'utf8',
      },
    )
    expect(refused).toMatchObject({
      status: 75,
      stderr: expect.stringContaining(`an engine (process ${await enginePid()}) already works on`),
    })
  })

  test('mends its record when that is damaged', async () => {
    const record = join(kre.dataDir, 'engine.json')
    const before = await readFile(record, 'utf8')
    await truncate(record, 10)
    await waitUntil('the record', async () => (await readFile(record, 'utf8')) === before)
  })

  test('starts with damaged locks, ports, tokens and records', async () => {
    await kre.run('stop')
    for (const name of ['engine.json', 'engine.lock', 'token', 'admin-port', 'nats/port'])
      await writeFile(join(kre.dataDir, name), '{"pid": 99999999')
    await up()
    expect(await kre.json('version', 'list', '-r', 'mine')).toHaveLength(1)
  })

  test('says which file it can not read, instead of giving runtimes new addresses', async () => {
    await kre.run('stop')
    const ports = join(kre.dataDir, 'ports.json')
    await copyFile(ports, `${ports}.kept`)
    await writeFile(ports, '{"mine"')
    expect(await kre.run('dev', '--detach', '--no-example')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${ports} can't be read`),
    })
    await copyFile(`${ports}.kept`, ports)
  })

  test('ends when its data folder is removed, and the next one begins afresh', async () => {
    const pids = await pidsOf(kre)
    // Again, while what still runs writes into it.
    await rm(kre.dataDir, { recursive: true, maxRetries: 20 })
    await waitUntil('all gone', () => !pids.some(isAlive))
    await up()
    expect(await kre.json('runtime', 'list')).toEqual([])
  })

  test('stays small while it has nothing to do', async () => {
    const { stdout } = await kre.run('status', '--json')
    const pid = (JSON.parse(stdout) as Status).processes.find(({ role }) => role === 'engine')?.pid
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const mebibytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
    expect(mebibytes).toBeGreaterThan(0)
    expect(mebibytes).toBeLessThan(250)
  })
})
