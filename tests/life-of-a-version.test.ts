/** The whole life of a bundle, as a user of the command line and a caller in another stack see it. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { connectForeign, type ForeignClient } from './support/grpc-client.ts'
import { createKre, isAlive, pidsOf, type Kre, type Status } from './support/kre.ts'

/** Calls that are under way at any moment while something changes. */
const CALLERS = 4

let kre: Kre
let bundle: string

beforeAll(async () => {
  // Two, so that all of it holds with a shared port too.
  kre = await createKre({ KRE_ENTRYPOINT_WORKERS: '2' })
  bundle = join(kre.dataDir, '..', 'bündel')
  await kre.json('dev', '--detach', '--no-example')
})
afterAll(async () => kre?.[Symbol.asyncDispose]())

describe('the life of a version', () => {
  test('begins with a template, which becomes a version of a runtime', async () => {
    await kre.json('krt', 'init', bundle, '--template', 'typescript')
    await giveConfiguration(bundle)
    expect(await kre.json('krt', 'validate', bundle)).toMatchObject({
      valid: true,
      version: 'b-ndel-v1',
    })
    await kre.json('runtime', 'create', 'mine', '--description', 'of a test')
    expect(await kre.json('version', 'create', '-r', 'mine', bundle)).toMatchObject({
      version: { name: 'b-ndel-v1', status: 'CREATED', config: { completed: false } },
    })
    const archive = join(bundle, '..', 'second.krt')
    await replaceIn(join(bundle, 'src/greet.ts'), 'Hello', 'Goodbye')
    await kre.json('krt', 'build', bundle, '-o', archive, '-v', 'second')
    await kre.json('version', 'create', '-r', 'mine', archive)
    expect(await kre.json('version', 'list', '-r', 'mine')).toMatchObject([
      { name: 'second' },
      { name: 'b-ndel-v1' },
    ])
  })

  test('needs its configuration, which is taken and never shown', async () => {
    const taken = await kre.run('config', 'set', '-r', 'mine', 'b-ndel-v1', 'SIGNATURE=early')
    expect(taken.stdout).toBe('Set SIGNATURE.\n')
    const away = await kre.run('config', 'set', '-r', 'mine', 'b-ndel-v1', 'SIGNATURE=')
    expect(away.stdout).toBe('Unset SIGNATURE.\n')
    const refused = await kre.run('version', 'start', '-r', 'mine', 'b-ndel-v1')
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('SIGNATURE') })
    for (const version of ['b-ndel-v1', 'second'])
      await kre.json('config', 'set', '-r', 'mine', version, 'SIGNATURE=top-secret')
    const shown = await kre.run('config', 'get', '-r', 'mine', 'second', '--json')
    expect(JSON.parse(shown.stdout)).toMatchObject({
      completed: true,
      vars: [{ key: 'SIGNATURE', isSet: true }],
    })
    expect(shown.stdout + shown.stderr).not.toContain('top-secret')
  })

  test('is started and published, and answers a client that only knows its reflection', async () => {
    expect(await kre.json('version', 'start', '-r', 'mine', 'b-ndel-v1')).toMatchObject({
      status: 'STARTED',
    })
    await kre.json('version', 'start', '-r', 'mine', 'second')
    await kre.json('version', 'publish', '-r', 'mine', 'b-ndel-v1', '--comment', 'first')
    using client = await published()
    expect(await client.call({ name: ' Ada ' })).toEqual({
      greeting: 'Hello, Ada! top-secret',
    })
    await expect(client.call({ name: 'nobody' })).rejects.toMatchObject({
      code: 13,
      details: expect.stringContaining('greet'),
    })
  })

  test('moves callers to another version and back without failing one of them', async () => {
    using client = await published()
    const calls = callConstantly(client)
    for (const [version, word] of [
      ['second', 'Goodbye'],
      ['b-ndel-v1', 'Hello'],
      ['second', 'Goodbye'],
    ] as const) {
      await kre.json('version', 'publish', '-r', 'mine', version)
      // What is asked after the command has returned is answered by the new one.
      expect(await client.call({ name: 'Eve' })).toMatchObject({
        greeting: expect.stringContaining(word),
      })
    }
    const { answers, failures } = await calls.stop()
    expect(failures).toEqual([])
    expect(words(answers)).toEqual(new Set(['Hello', 'Goodbye']))
  })

  test('goes back to the version of before by one verb, which starts it where it has to', async () => {
    await kre.json('version', 'stop', '-r', 'mine', 'b-ndel-v1')
    expect(await kre.json('version', 'rollback', '-r', 'mine')).toEqual({
      version: 'b-ndel-v1',
      insteadOf: 'second',
    })
    expect(await kre.json('version', 'rollback', '-r', 'mine')).toEqual({
      version: 'second',
      insteadOf: 'b-ndel-v1',
    })
    const differences = await kre.json('version', 'diff', '-r', 'mine', 'b-ndel-v1', 'second')
    expect(differences).toMatchObject({ isSameBundle: false, leftOut: 0 })
  })

  test('takes a new configuration while it serves, without failing a caller', async () => {
    using client = await published()
    const calls = callConstantly(client)
    await kre.json('config', 'set', '-r', 'mine', 'second', 'SIGNATURE=renewed')
    await waitUntil('the new value in an answer', async () => calls.last().includes('renewed'))
    const { failures } = await calls.stop()
    expect(failures).toEqual([])
  })

  test('leaves its log to be read by request, node and level', async () => {
    const { addresses } = await kre.json<Status>('status')
    const { address = '' } = addresses.find(({ runtime }) => runtime === 'mine') ?? {}
    const call = await kre.json<{ trailers: Record<string, string> }>(
      'call',
      '-r',
      'mine',
      '--address',
      address,
      'Greet',
      '{"name": "Grace"}',
    )
    const elsewhere = await kre.run('call', '-r', 'mine', '--address', '127.0.0.1:1', 'Greet', '{}')
    expect(elsewhere).toMatchObject({ code: 1, stdout: '' })
    const request = call.trailers['request-id'] ?? ''
    const logs = ['version', 'logs', '-r', 'mine', 'second', '--request', request]
    await waitUntil('the log line', async () => (await kre.run(...logs)).stdout !== '', {
      everyMs: 200,
    })
    expect((await kre.run(...logs, '--node', 'greet')).stdout).toMatch(/INFO .*greeting Grace\n$/)
    expect((await kre.run(...logs, '--level', 'error')).stdout).toBe('')
    expect(await kre.run(...logs, '--node', 'nobody')).toMatchObject({ code: 1 })
  })

  test('ends its log quietly when followed and interrupted', async () => {
    const following = kre.start('version', 'logs', '-r', 'mine', 'second', '--follow')
    await waitUntil(
      'a line that was written meanwhile',
      async () => {
        await kre.run('call', '-r', 'mine', 'Greet', '{"name": "Follow me"}')
        return following.written.stdout.includes('Follow me')
      },
      { everyMs: 200 },
    )
    following.child.kill('SIGINT')
    expect(await following.ended).toMatchObject({ code: 0, stderr: '' })
  })

  test('comes back with its addresses when the engine is stopped and started', async () => {
    const addresses = (status: Status) => status.addresses.filter(({ runtime }) => runtime !== null)
    const before = await kre.json<Status>('status')
    const pids = await pidsOf(kre)
    expect(pids.length).toBeGreaterThan(8)
    expect(await kre.json('stop')).toEqual({ stopped: true })
    expect(pids.filter(isAlive)).toEqual([])
    expect(await kre.run('status')).toMatchObject({ code: 69 })

    await kre.json('dev', '--detach', '--no-example', '--port', '0')
    expect(addresses(await kre.json<Status>('status'))).toEqual(addresses(before))
    using client = await published()
    expect(await client.call({ name: 'Ada' })).toEqual({ greeting: 'Goodbye, Ada! renewed' })
  })

  test('can be unpublished, stopped and deleted, in this order only', async () => {
    const on = (operation: string) => kre.run('version', operation, '-r', 'mine', 'second')
    expect(await on('stop')).toMatchObject({ code: 1 })
    expect(await kre.run('runtime', 'delete', 'mine')).toMatchObject({ code: 1 })
    expect(await on('unpublish')).toMatchObject({ code: 0 })
    expect(await kre.run('call', '-r', 'mine', 'Greet', '{}')).toMatchObject({ code: 1 })
    expect(await on('delete')).toMatchObject({ code: 1 })
    expect(await on('stop')).toMatchObject({ code: 0 })
    expect(await on('delete')).toMatchObject({ code: 0 })
    expect(await on('show')).toMatchObject({ code: 1 })
    await kre.json('version', 'stop', '-r', 'mine', 'b-ndel-v1')
    await kre.json('runtime', 'delete', 'mine')
    expect(await kre.json('runtime', 'list')).toEqual([])
  })
})

/** A variable that is part of every answer, and a name that nobody may have. */
async function giveConfiguration(folder: string): Promise<void> {
  await replaceIn(
    join(folder, 'kre.yaml'),
    'workflows:',
    'config:\n  variables: [SIGNATURE]\n\nworkflows:',
  )
  await replaceIn(join(folder, 'src/greet.ts'), '!`', "! ${ctx.config('SIGNATURE')}`")
  await replaceIn(
    join(folder, 'src/greet.ts'),
    '  ctx.logger',
    "  if (name === 'nobody') throw new Error('nobody is greeted')\n  ctx.logger",
  )
  await rm(join(folder, 'README.md'))
}

async function replaceIn(file: string, before: string, after: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  if (!text.includes(before)) throw new Error(`${file} has no ${before}`)
  await writeFile(file, text.replace(before, after))
}

async function published(): Promise<ForeignClient> {
  const { entrypointAddress } = await kre.json<{ entrypointAddress: string }>(
    'runtime',
    'show',
    'mine',
  )
  return connectForeign(entrypointAddress, 'hello.Entrypoint', 'Greet')
}

/** Calls again and again until it is stopped. */
function callConstantly(client: ForeignClient) {
  const answers: string[] = []
  const failures: unknown[] = []
  let goesOn = true
  const caller = async () => {
    while (goesOn) {
      await client.call({ name: 'Ada' }).then(
        (answer) => void answers.push(JSON.stringify(answer)),
        (error: unknown) => void failures.push(error),
      )
    }
  }
  const callers = Array.from({ length: CALLERS }, caller)
  return {
    last: () => answers.at(-1) ?? '',
    async stop() {
      goesOn = false
      await Promise.all(callers)
      return { answers, failures }
    },
  }
}

const words = (answers: readonly string[]) =>
  new Set(answers.map((answer) => /Hello|Goodbye/.exec(answer)?.[0] ?? answer))
