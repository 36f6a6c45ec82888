import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { waitUntil } from '../wait-until.ts'
import { startNats } from './start-nats.ts'

describe('startNats', () => {
  test('gives a server that comes back on its port after a kill', async () => {
    await using nats = await startNats()
    const connection = await nats.connect()
    const before = nats.pid
    await nats.restart()
    await waitUntil('reconnected', () =>
      connection.flush().then(
        () => true,
        () => false,
      ),
    )
    expect(nats.pid).not.toBe(before)
  })

  test('leaves nothing behind when the process that started it is killed', async () => {
    const kit = JSON.stringify(resolve(import.meta.dirname, 'start-nats.ts'))
    const source = `import { startNats } from ${kit}; const { pid } = await startNats(); console.log(pid)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const pid = Number(String(line))
    expect(isAlive(pid)).toBe(true)
    child.kill('SIGKILL')
    await waitUntil('the server is gone', () => !isAlive(pid))
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false // no such process
  }
}
