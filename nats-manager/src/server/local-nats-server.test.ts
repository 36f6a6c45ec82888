import { afterEach, describe, expect, test } from '@jest/globals'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import {
  connectNats,
  createLogger,
  findNatsServer,
  processStartTime,
  waitUntil,
} from '@kre/service-kit'
import { createNatsManager } from '../jetstream/nats-manager.ts'
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
    expect(second.engineAccess).toEqual(first.engineAccess)
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

  test('ends when no engine has been there for the grace', async () => {
    const server = await startLocalNatsServer(await options(2_000))
    const pid = (await server.pid()) ?? 0
    await server[Symbol.asyncDispose]()
    await waitUntil('server and guard gone', () => !alive(pid) && !alive(server.guardPid()), {
      timeoutMs: 20_000,
    })
  })

  test('does not outlive a guard that was killed while no engine was there', async () => {
    const server = await startLocalNatsServer(await options())
    const pid = (await server.pid()) ?? 0
    await server[Symbol.asyncDispose]()
    process.kill(server.guardPid(), 'SIGKILL')
    await waitUntil('server gone', () => !alive(pid), { timeoutMs: 20_000 })
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

  test('refuses strangers, and refuses runners what is not theirs', async () => {
    const server = await startLocalNatsServer(await options())
    try {
      const engine = await connectNats(server.engineAccess, 'engine')
      await (await createNatsManager(engine)).converge('demo', [])
      const runner = await connectNats(server.runnerAccess, 'runner')
      const admin = await jetstreamManager(runner, { checkAPI: false, timeout: 500 })
      await expect(admin.streams.add({ name: 'MINE', subjects: ['mine'] })).rejects.toThrow()
      await expect(admin.streams.delete('OUT_demo')).rejects.toThrow()
      await runner.close()
      await engine.close()
    } finally {
      await server.stop()
    }
  })
})
