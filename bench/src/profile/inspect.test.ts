import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { beforeAll, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { startProfile, stopProfile } from './inspect.ts'
import { type CpuProfile, selfTimes } from './self-times.ts'

const BUSY = `
function work() { let sum = 0; for (let i = 0; i < 2e6; i++) sum += Math.sqrt(i); return sum }
process.stdin.resume().on('end', () => process.exit(0))
process.stdout.write('up\\n')
setInterval(() => { work(); process.stdout.write('.') }, 1)
`
let port: number
beforeAll(async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  ;({ port } = server.address() as AddressInfo)
  server.close()
  await once(server, 'close')
})

test('a process that runs is profiled again and again, and closes its inspector each time', async () => {
  const child = spawn(process.execPath, [`--inspect-port=${port}`, '-e', BUSY], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  try {
    let worked = 0
    child.stdout.on('data', (dots: Buffer) => (worked += dots.length))
    await waitUntil('the process at work', () => worked > 0)
    const pid = child.pid ?? 0
    for (let turn = 0; turn < 2; turn++) {
      await startProfile(pid, port)
      const before = worked
      await waitUntil('work to be seen', () => worked > before + 20)
      const profile = JSON.parse(await stopProfile(pid, port)) as CpuProfile
      expect(selfTimes(profile, '/').map(({ name: found }) => found)).toContainEqual(
        expect.stringContaining('[eval]'),
      )
      await expect(fetch(`http://127.0.0.1:${port}/json/list`)).rejects.toThrow('fetch failed')
    }
    await expect(stopProfile(pid, port)).rejects.toThrow("can't be profiled")
  } finally {
    child.stdin.end()
    await exited
  }
})

test('a port that somebody else debugs on is left alone', async () => {
  const other = spawn(process.execPath, [`--inspect=127.0.0.1:${port}`, '-e', BUSY], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const exited = once(other, 'exit')
  try {
    await once(other.stdout, 'data')
    await expect(startProfile(process.pid, port)).rejects.toThrow(
      `port ${port} of 127.0.0.1 is in use`,
    )
  } finally {
    other.stdin.end()
    await exited
  }
})
