/** A real nats-server for one test file: `await using nats = await startNats()`. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { NatsAccess } from '@kre/contracts'
import type { NatsConnection } from '@nats-io/transport-node'
import { connectNats } from '../nats-connection.ts'
import { findNatsServer } from '../nats-server/find-nats-server.ts'
import { waitUntil } from '../wait-until.ts'

export type TestNats = AsyncDisposable & {
  access: NatsAccess
  port: number
  pid: number
  /** A connection that closes with the server. */
  connect(name?: string): Promise<NatsConnection>
  /** SIGKILL, then a new server on the same port and store. */
  restart(): Promise<void>
}

const cacheDir = resolve(import.meta.dirname, '../../../../.kre/cache')

/** @param configure more lines of the server's configuration, which may name files that it puts into the folder. */
export async function startNats(
  configure: (dir: string) => string | Promise<string> = () => '',
): Promise<TestNats> {
  const binary = await findNatsServer({ cacheDir, path: process.env['PATH'] ?? '' })
  const dir = await mkdtemp(join(tmpdir(), 'kre-nats-'))
  const file = join(dir, 'nats.conf')
  await writeFile(file, await configure(dir))
  const files = ['--ports_file_dir', dir, '-c', file]
  const connections: NatsConnection[] = []
  const start = async (port: number) => {
    const child = spawn(
      binary,
      ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', dir, ...files],
      { stdio: 'ignore' },
    )
    const guard = guardOf(child.pid ?? 0, dir)
    const listening = await waitUntil('nats-server listening', () =>
      readFile(join(dir, `nats-server_${child.pid}.ports`), 'utf8').then(portIn, () => ''),
    )
    return { child, guard, port: Number(listening) }
  }
  let { child, guard, port } = await start(-1)
  const access: NatsAccess = { servers: [`127.0.0.1:${port}`], user: '', password: '' }
  const stop = async () => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    guard.kill('SIGKILL')
  }
  return {
    access,
    port,
    get pid() {
      return child.pid ?? 0
    },
    async connect(name = 'test') {
      const connection = await connectNats(access, name)
      connections.push(connection)
      return connection
    },
    async restart() {
      await stop()
      ;({ child, guard, port } = await start(port))
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(connections.map((connection) => connection.close()))
      await stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/**
 * Ends the server, and removes its folder, when this process is gone without having done so: a test runner kills its
 * workers. Their end is the end of the guard's standard input. In a session of its own, Ctrl-C leaves it alone.
 */
function guardOf(pid: number, dir: string): ChildProcess {
  const script = 'cat >/dev/null; kill -9 "$1" 2>/dev/null; rm -rf "$2"'
  const guard = spawn('/bin/sh', ['-c', script, 'guard', String(pid), dir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  return guard
}

/** @returns nothing for a file that the server is just writing. */
function portIn(text: string): string {
  if (!text.trimEnd().endsWith('}')) return ''
  return new URL((JSON.parse(text) as { nats: string[] }).nats[0] ?? '').port
}
