import { afterEach, describe, expect, test } from '@jest/globals'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import {
  connectNats,
  createLogger,
  findNatsServer,
  processStartTime,
  waitUntil,
} from '@kre/service-kit'
import { startLocalNatsServer } from './local-nats-server.ts'

const logger = createLogger('test', { level: 'silent' })
const dirs: string[] = []
const options = async (engineAbsenceMs = 60_000) => {
  const dir = await mkdtemp(join(tmpdir(), 'kre nätṡ-'))
  dirs.push(dir)
  const binary = await findNatsServer({
    cacheDir: resolve(import.meta.dirname, '../../../.kre/cache'),
    path: process.env['PATH'] ?? '',
  })
  return { dir, binary, engineAbsenceMs, logger }
}
afterEach(() => Promise.all(dirs.splice(0).map((dir) => rm(dir, { recursive: true, force: true }))))
const alive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('the local nats-server', () => {
  test('stays when its engine goes, and is taken over by the next engine', async () => {
    const where = await options()
    const first = await startLocalNatsServer(where)
    const pid = await first.pid()
    await first[Symbol.asyncDispose]()
    const second = await startLocalNatsServer(where)
    expect(await second.pid()).toBe(pid)
    expect(second.keys).toEqual(first.keys)
    await second.stop()
    await waitUntil('server gone', () => !alive(pid ?? 0))
    expect(alive(second.guardPid())).toBe(false)
  })

  test('is restarted when it is killed, by its guard alone', async () => {
    const server = await startLocalNatsServer(await options())
    const pid = (await server.pid()) ?? 0
    await server[Symbol.asyncDispose]()
    process.kill(pid, 'SIGKILL')
    await waitUntil('another server', async () => {
      const next = await server.pid()
      return next !== null && next !== pid
    })
    const connection = await connectNats(server.engineAccess, 'test')
    await connection.close()
    await server.stop()
  })

  test('stays while its engine is there on a disk that is full', async () => {
    const where = await options(4_000)
    const disk = join(where.dir, 'disk')
    await mkdir(disk)
    // Without the right to mount one, any disk has to do.
    const isMounted =
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status === 0
    try {
      await using server = await startLocalNatsServer({ ...where, dir: disk })
      const pid = (await server.pid()) ?? 0
      if (isMounted)
        spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4096', 'status=none'])
      const beat = () => readFile(join(disk, 'heartbeat'), 'utf8')
      for (let last = await beat(), count = 0; count < 3; count += 1) {
        await waitUntil('another beat', async () => (await beat()) !== last)
        last = await beat()
      }
      expect(alive(pid)).toBe(true)
      await server.stop()
    } finally {
      if (isMounted) execFileSync('umount', ['--lazy', disk])
    }
  })

  test('that ends as soon as it is started is given up, with its last words', async () => {
    const where = await options()
    const binary = join(where.dir, 'broken')
    await writeFile(binary, '#!/bin/sh\necho "no $1 today" >&2\nexit 1\n', { mode: 0o700 })
    await expect(startLocalNatsServer({ ...where, binary })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /^nats-server did not start: it ends again and again as soon as it is started\. .*no -c today$/s,
      ),
    })
    const guard = JSON.parse(await readFile(join(where.dir, 'guard.json'), 'utf8')) as {
      pid: number
    }
    expect(await processStartTime(guard.pid)).toBeNull()
    await using server = await startLocalNatsServer(where)
    await server.stop()
  })

  test('ends when no engine has been there for the grace', async () => {
    const server = await startLocalNatsServer(await options(2_000))
    const pid = (await server.pid()) ?? 0
    await server[Symbol.asyncDispose]()
    await waitUntil('server and guard gone', () => !alive(pid) && !alive(server.guardPid()))
  })

  test('does not outlive a guard that was killed while no engine was there', async () => {
    const server = await startLocalNatsServer(await options())
    const pid = (await server.pid()) ?? 0
    await server[Symbol.asyncDispose]()
    process.kill(server.guardPid(), 'SIGKILL')
    await waitUntil('server gone', () => !alive(pid))
  })

  test('without a guard makes room for the server of the next engine', async () => {
    const where = await options()
    const first = await startLocalNatsServer(where)
    const pid = (await first.pid()) ?? 0
    await first[Symbol.asyncDispose]()
    process.kill(first.guardPid(), 'SIGKILL')
    await waitUntil('guard gone', () => !alive(first.guardPid()))
    const second = await startLocalNatsServer(where)
    expect(await processStartTime(pid)).toBeNull()
    expect(second.port).toBe(first.port)
    expect(await second.pid()).not.toBe(pid)
    await second.stop()
  })

  test('is not taken for a stranger that got its pid', async () => {
    const where = await options()
    await writeFile(join(where.dir, 'nats.pid'), String(process.pid))
    const server = await startLocalNatsServer(where)
    expect(await server.pid()).not.toBe(process.pid)
    await server.stop()
  })

  test('takes over the streams of a server without accounts, and those of keys that were lost', async () => {
    const where = await options()
    const streams = async () => {
      const server = await startLocalNatsServer(where)
      const engine = await connectNats(server.engineAccess, 'test')
      const manager = await jetstreamManager(engine)
      return { server, engine, manager }
    }
    const first = await streams()
    await first.manager.streams.add({ name: 'KEPT', subjects: ['kept'] })
    await first.engine.request('kept', 'a message')
    await first.engine.close()
    await first.server.stop()
    const store = join(where.dir, 'jetstream', 'jetstream')
    const [account = ''] = (await readdir(store)).filter((name) => name.startsWith('A'))
    await rename(join(store, account), join(store, '$G'))
    await mkdir(join(where.dir, 'accounts'), { recursive: true })
    for (const keys of ['kept', 'lost'] as const) {
      if (keys === 'lost') await rm(join(where.dir, 'keys.json'))
      const { server, engine, manager } = await streams()
      expect((await manager.streams.info('KEPT')).state.messages).toBe(1)
      await engine.close()
      await server.stop()
    }
  })

  test('lets strangers in with nothing, and keeps its keys from others', async () => {
    const where = await options()
    const server = await startLocalNatsServer(where)
    try {
      const servers = server.engineAccess.servers
      for (const who of [{}, { user: 'engine', pass: 'engine' }])
        await expect(connect({ servers, ...who, reconnect: false })).rejects.toThrow()
      for (const name of ['keys.json', 'nats.conf'])
        expect((await stat(join(where.dir, name))).mode & 0o777).toBe(0o600)
    } finally {
      await server.stop()
    }
  })
})
