/**
 * One process of a floor, by its first argument: `echo`, `stream`, `nats-server BINARY DIR`, `front SERVER` or
 * `node SERVER INDEX COUNT`. Says in one line where it listens, and ends with the process that started it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { listen } from './floors/echo.ts'
import { runFront, runNode } from './floors/nats-chain.ts'
import { listenForStreams } from './floors/stream.ts'

const NATS_START_MS = 10_000
const [role = '', ...words] = process.argv.slice(2)
process.once('disconnect', () => process.exit(0))

async function start(): Promise<string> {
  const [first = '', second = '', third = ''] = words
  switch (role) {
    case 'echo':
      return String(await listen((body, respond) => respond(body)))
    case 'stream':
      return String(await listenForStreams())
    case 'front':
      return String(await runFront(first))
    case 'node':
      await runNode(first, Number(second), Number(second) === Number(third) - 1)
      return 'ready'
    case 'nats-server':
      return startNatsServer(first, second)
    default:
      throw new Error(`there is no floor "${role}"`)
  }
}

/** @returns its pid and its port. */
async function startNatsServer(binary: string, dir: string): Promise<string> {
  const server = spawn(binary, ['-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', dir], {
    stdio: 'ignore',
  })
  process.once('exit', () => server.kill('SIGKILL'))
  await once(server, 'spawn')
  const end = performance.now() + NATS_START_MS
  while (performance.now() < end && server.exitCode === null) {
    const text = await readFile(join(dir, `nats-server_${server.pid}.ports`), 'utf8').catch(
      () => '',
    )
    const port = /"nats":\s*\[\s*"nats:\/\/[^"]*:(\d+)"/.exec(text)?.[1]
    if (port !== undefined) return `${server.pid} ${port}`
    await sleep(20)
  }
  throw new Error(`${binary} does not listen: exit code ${server.exitCode}`)
}

process.stdout.write(`${await start()}\n`)
