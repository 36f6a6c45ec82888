/** A real nats-server with a configuration of the test's own: accounts, permissions, TLS, limits. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { findNatsServer, waitUntil } from '@kre/service-kit'

export type ConfiguredNats = AsyncDisposable & {
  readonly port: number
  /** Asks it to stop as an operator does: clients are told to leave. */
  lameDuck(): void
  /** Reads another configuration, without a restart. */
  reload(config: string): Promise<void>
}

const cacheDir = resolve(import.meta.dirname, '../../../../.kre/cache')

/** @param config gets the server's own folder, for files it names. */
export async function startConfiguredNats(
  config: string | ((dir: string) => Promise<string>),
): Promise<ConfiguredNats> {
  const binary = await findNatsServer({ cacheDir, path: process.env['PATH'] ?? '' })
  const dir = await mkdtemp(join(tmpdir(), 'kre-core-nats-'))
  const file = join(dir, 'nats.conf')
  await writeFile(file, typeof config === 'string' ? config : await config(dir))
  const args = ['-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', dir, '-c', file]
  const child = spawn(binary, args, { stdio: 'ignore' })
  const port = await waitUntil('nats-server listening', () =>
    readFile(join(dir, `nats-server_${child.pid}.ports`), 'utf8').then(
      (text) => Number(new URL((JSON.parse(text) as { nats: string[] }).nats[0] ?? '').port),
      () => 0,
    ),
  )
  return {
    port,
    lameDuck: () => void child.kill('SIGUSR2'),
    async reload(text) {
      await writeFile(file, text)
      child.kill('SIGHUP')
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        await exited
      }
      await rm(dir, { recursive: true, force: true })
    },
  }
}
