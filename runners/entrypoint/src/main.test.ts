import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Announcement, controlSubject, type EntrypointLaunch } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import {
  beat,
  demoInterface,
  demoLaunch,
  GREET,
  RUNTIME,
  startNode,
  writeInterface,
} from './testing/demo-version.ts'
import { connectRaw, frame } from './testing/raw-client.ts'

let nats: TestNats
let dir: string
beforeAll(async () => {
  nats = await startNats()
  dir = await mkdtemp(join(tmpdir(), 'kre-entrypoint-'))
})
afterAll(async () => {
  await nats[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

async function spawnEntrypoint(launch: Partial<EntrypointLaunch>): Promise<ChildProcess> {
  const file = join(dir, `${launch.version}.json`)
  await writeFile(file, JSON.stringify(demoLaunch(nats.access, launch)))
  return spawnMain(file)
}

function spawnMain(launchFile: string): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { KRE_LAUNCH_FILE: launchFile },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

describe('the process', () => {
  test('announces itself with its address, serves, and drains on SIGTERM with exit code 0', async () => {
    const connection = await nats.connect()
    const announcements: Announcement[] = []
    const ref = { runtimeId: RUNTIME, version: 'main1' }
    connection.subscribe(controlSubject(ref, 'announce'), {
      callback: (_error, message) => void announcements.push(Announcement.parse(message.json())),
    })
    await writeInterface(connection, demoInterface('main1'))
    const node = startNode(connection, { version: 'main1', handler: () => null })
    const child = await spawnEntrypoint({
      version: 'main1',
      listen: { host: '127.0.0.1', port: 0 },
    })
    const own = () => announcements.filter(({ role }) => role === 'entrypoint')
    const ready = await waitUntil('announcement', () => own()[0])
    expect(ready).toMatchObject({
      version: 'main1',
      state: 'ready',
      pid: child.pid,
      bundleDigest: 'sha256:demo',
    })
    const pinged = await connection.request(controlSubject(ref, 'ping'))
    expect(pinged.json()).toMatchObject({ runtimeId: RUNTIME, version: 'main1' })

    await using client = await connectRaw(ready.address ?? '')
    const goaway = once(client.session, 'goaway')
    const slow = client.call(GREET, frame('finish me'))
    await waitUntil('in flight', () => node.requests.length === 1)
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await goaway
    const [request] = node.requests
    if (request !== undefined) node.reply(request, { value: request.value })
    expect((await slow).payload.toString()).toBe('finish me')
    expect(await exited).toEqual([0, null])
    expect(own().at(-1)?.state).toBe('draining')
  })

  test('drains and ends with exit code 0 when the engine stays away', async () => {
    const connection = await nats.connect()
    await writeInterface(connection, demoInterface('main2'))
    const child = await spawnEntrypoint({ version: 'main2', engineAbsenceMs: 600 })
    const exited = once(child, 'exit')
    const beats = setInterval(() => beat(connection), 50)
    const ping = controlSubject({ runtimeId: RUNTIME, version: 'main2' }, 'ping')
    await waitUntil('alive with beats', () =>
      connection.request(ping).then(
        () => true,
        () => false,
      ),
    )
    expect(child.exitCode).toBeNull()
    clearInterval(beats)
    expect(await exited).toEqual([0, null])
  })

  test('refuses a launch file that is none with exit code 78 and the reason', async () => {
    const file = join(dir, 'broken.json')
    await writeFile(file, '{"kind": "node"}')
    const child = spawnMain(file)
    let text = ''
    child.stderr?.on('data', (chunk) => void (text += String(chunk)))
    expect(await once(child, 'close')).toEqual([78, null])
    expect(text).toContain('is not a launch file')
  })
})
