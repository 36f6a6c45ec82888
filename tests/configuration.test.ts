/** Configuration as administrators, callers and thieves see it: rolled without a lost call, and nowhere to be found. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { accessToAll } from '@kre/nats-manager/testing'
import { connectNats, readEngineRecord, waitUntil } from '@kre/service-kit'
import { connectForeign, type ForeignClient } from './support/grpc-client.ts'
import { createKre, type Kre } from './support/kre.ts'

/** Looks different in every form it may be written in. */
const CANARY = 'CANARY?"ä+/&=7f\\x'
const FILE_CANARY = `-----BEGIN KEY-----\n${CANARY.repeat(3)}\n-----END KEY-----\n`
const forms = [CANARY, CANARY.repeat(3)].flatMap((text) => {
  const bytes = Buffer.from(text)
  return [
    text,
    bytes.toString('base64').replaceAll('=', ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    encodeURIComponent(text),
    JSON.stringify(text).slice(1, -1),
  ]
})
/** All but failures: those go to the caller because nobody listens there. */
const OVERHEARD = [
  'x.mine.rolled._c.>',
  'x.mine.rolled.*.i',
  'x.mine.rolled.*.n.>',
  'x.mine.rolled.*.o.>',
  '_R.>',
  'c.>',
  'kre.>',
  '$KV.>',
  '$JS.API.>',
]
const rpcs = ['Single', 'Several', 'Python'] as const

let kre: Kre
let clients: Record<(typeof rpcs)[number], ForeignClient>

beforeAll(async () => {
  kre = await createKre({ KRE_LOG_LEVEL: 'debug' })
  await kre.json('dev', '--detach', '--no-example')
  const bundle = join(kre.dataDir, '..', 'rolled')
  await writeBundle(bundle)
  await kre.json('runtime', 'create', 'mine')
  const types = await kre.run('krt', 'types', bundle)
  if (types.code !== 0) throw new Error(types.stderr)
  await kre.json('version', 'create', '-r', 'mine', bundle)
  await kre.json('config', 'set', '-r', 'mine', 'rolled', 'TOKEN=first', 'SECRET=second')
  const key = join(kre.dataDir, '..', 'key')
  await writeFile(key, 'nothing yet')
  await kre.json('config', 'set', '-r', 'mine', 'rolled', `KEY=@${key}`)
  await kre.json('version', 'start', '-r', 'mine', 'rolled')
  const { entrypointAddress } = await kre.json<{ entrypointAddress: string }>(
    'version',
    'show',
    '-r',
    'mine',
    'rolled',
  )
  const connect = (rpc: string) => connectForeign(entrypointAddress, 'rolled.Entrypoint', rpc)
  clients = {
    Single: await connect('Single'),
    Several: await connect('Several'),
    Python: await connect('Python'),
  }
})
afterAll(async () => {
  for (const client of Object.values(clients ?? {})) client[Symbol.dispose]()
  await kre?.[Symbol.asyncDispose]()
})

const configOf = () =>
  kre.json<{
    completed: boolean
    generation: number
    vars: { key: string; isSet: boolean; fingerprint: string | null }[]
  }>('config', 'get', '-r', 'mine', 'rolled')

describe('a change of configuration', () => {
  test('reaches nodes of one replica and of several, in both languages, without a failed call', async () => {
    const loads = rpcs.map((rpc) => load(clients[rpc]))
    for (const value of ['round-1', 'round-2']) {
      await kre.json('config', 'set', '-r', 'mine', 'rolled', `TOKEN=${value}`)
      await waitUntil(
        `${value} in all answers`,
        () => loads.every(({ recent }) => recent().every((text) => text === value)),
        { timeoutMs: 90_000 },
      )
    }
    for (const [index, one] of loads.entries()) {
      const { failures, count } = await one.stop()
      process.stdout.write(
        `${rpcs[index]}: ${count} calls over two changes, ${failures.length} failed\n`,
      )
      expect(failures).toEqual([])
      expect(count).toBeGreaterThan(50)
    }
  })

  test('of two administrators who saw the same: the second is told, and nothing is lost', async () => {
    const { generation } = await configOf()
    const set = (pair: string, ...more: string[]) =>
      kre.run('config', 'set', '-r', 'mine', 'rolled', pair, ...more)
    const guarded = ['--if-generation', String(generation)]
    const results = await Promise.all([
      set('TOKEN=of-ada', ...guarded),
      set('TOKEN=of-eve', ...guarded),
    ])
    expect(results.filter(({ code }) => code === 0)).toHaveLength(1)
    const winner = results[0]?.code === 0 ? 'of-ada' : 'of-eve'
    expect(results.find(({ code }) => code === 1)?.stderr).toMatch(
      /was changed meanwhile \(generation \d+ instead of \d+\): read it again/,
    )
    await answers('Single', winner)
    // Without a condition, different keys don't disturb each other.
    await Promise.all([set('TOKEN=a-new-token'), set('SECRET=a-new-secret')])
    expect((await configOf()).generation).toBe(generation + 3)
    await answers('Single', 'a-new-token')
  })

  test('shows by fingerprints what changed, and never a value', async () => {
    const before = await configOf()
    await kre.json('config', 'set', '-r', 'mine', 'rolled', 'SECRET=a-newer-secret')
    const after = await configOf()
    const changed = after.vars.filter(
      ({ fingerprint }, index) => fingerprint !== before.vars[index]?.fingerprint,
    )
    expect(changed).toMatchObject([{ key: 'SECRET', isSet: true }])
    expect(changed[0]?.fingerprint).toMatch(/^[0-9a-f]{8}$/)
  })
})

describe('a configured value', () => {
  test('is found nowhere: not in files, logs, answers, metrics, process lists or NATS', async () => {
    const heard: { subject: string; data: Buffer }[] = []
    const nats = await listenToNats(({ subject, data }) =>
      heard.push({ subject, data: Buffer.from(data) }),
    )
    const [token, key] = [join(kre.dataDir, '..', 'token'), join(kre.dataDir, '..', 'key')]
    await writeFile(token, CANARY)
    await writeFile(key, FILE_CANARY)
    await kre.json('config', 'set', '-r', 'mine', 'rolled', `TOKEN=@${token}`, `KEY=@${key}`)
    await answers('Single', CANARY)
    await answers('Python', CANARY)
    // Nodes that are being rolled have launch files with it until they have read them.
    const launches = join(kre.dataDir, 'run', 'launch')
    await waitUntil('all have read theirs', () => readdirSync(launches).length === 0)
    heard.length = 0
    // Printed, and thrown: the worst that honest code does by mistake.
    for (const rpc of ['Single', 'Python'] as const) {
      await clients[rpc].call({ text: 'print' })
      const error = await clients[rpc].call({ text: 'throw' }).catch((thrown: unknown) => thrown)
      expect(String(error)).toContain('<secret:TOKEN>')
      expect(String(error)).not.toContain(CANARY)
    }
    const logs = await waitUntil(
      'the printed lines',
      async () => {
        const { stdout } = await kre.run('version', 'logs', '-r', 'mine', 'rolled')
        return stdout.match(/printed <secret:TOKEN>/g)?.length === 2 ? stdout : null
      },
      { everyMs: 200 },
    )
    const api = await everythingOfTheApi()
    await nats.close()

    const places: Record<string, string | Buffer> = {
      ...api,
      logs,
      'lists of processes': processLists(),
      ...Object.fromEntries(heard.map(({ subject, data }, i) => [`NATS ${subject} #${i}`, data])),
      ...filesOfTheEngine(),
    }
    const hits = Object.entries(places).flatMap(([name, content]) =>
      forms.filter((form) => content.includes(form)).map((form) => `${name}: ${form}`),
    )
    expect(hits).toEqual([])
    expect(heard.length).toBeGreaterThan(5)
    expect(Object.keys(places).length).toBeGreaterThan(20)
  })

  test('survives a rotation of the master key and a start without an engine', async () => {
    const before = await kre.json<{ current: string }>('keys', 'show')
    const rotated = await kre.json<{ current: string; older: string[]; rewrapped: number }>(
      'keys',
      'rotate',
    )
    expect(rotated).toMatchObject({ older: [], rewrapped: 3 })
    expect(rotated.current).not.toBe(before.current)
    await kre.json('stop')
    await kre.json('dev', '--detach', '--no-example')
    await answers('Python', CANARY)
    expect(await kre.json('keys', 'show')).toMatchObject({ current: rotated.current, older: [] })
  })

  test('is given up by hand only, when its key is lost', async () => {
    const path = join(kre.dataDir, 'master-key')
    const lost = await readFile(path)
    const other = Buffer.alloc(32, 7).toString('base64')
    await kre.json('stop')
    await writeFile(path, other)
    const refused = await kre.run('dev', '--detach', '--no-example')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/is not the one that stored configuration values need/)
    expect(refused.stderr).toContain('krectl keys reset')
    expect(await kre.run('keys', 'reset')).toMatchObject({ code: 2 })
    // The right key beside the wrong one is enough.
    await writeFile(path, `${other}\n${lost.toString()}`)
    await kre.json('dev', '--detach', '--no-example')
    await answers('Single', CANARY)
    await kre.json('stop')
    await writeFile(path, Buffer.alloc(32, 8).toString('base64'))
    expect(await kre.json('keys', 'reset', '--yes')).toEqual({
      pepper: 'kept',
      unset: ['mine/rolled/KEY', 'mine/rolled/SECRET', 'mine/rolled/TOKEN'],
    })
    await kre.json('dev', '--detach', '--no-example', '--quiet').catch(() => undefined)
    expect(await configOf()).toMatchObject({ completed: false })
  })
})

/** Waits until the rpc answers with the value. */
async function answers(rpc: (typeof rpcs)[number], value: string): Promise<void> {
  await waitUntil(`the new value from ${rpc}`, async () => {
    const answer = await clients[rpc].call({ text: '' }).catch(() => null)
    return (answer as { text?: string } | null)?.text === value
  })
}

/** Calls without a pause until it is stopped. */
function load(client: ForeignClient) {
  const [callers, recentMax] = [4, 20]
  const failures: unknown[] = []
  let recent: string[] = []
  let count = 0
  let isStopped = false
  const callForever = async () => {
    while (!isStopped) {
      await client.call({ text: '' }).then(
        (answer) => {
          count++
          recent = [...recent.slice(1 - recentMax), (answer as { text: string }).text]
        },
        (error: unknown) => failures.push(String(error)),
      )
    }
  }
  const ended = Promise.all(Array.from({ length: callers }, callForever))
  return {
    recent: () => recent,
    async stop() {
      isStopped = true
      await ended
      return { failures, count }
    },
  }
}

async function listenToNats(
  onMessage: (message: { subject: string; data: Uint8Array }) => void,
): Promise<{ close(): Promise<void> }> {
  // In each account, for none hears what passes in the others.
  const connections = await Promise.all(
    (await accessToAll(join(kre.dataDir, 'nats'))).map((access) => connectNats(access, 'thief')),
  )
  for (const nats of connections)
    for (const subject of OVERHEARD)
      nats.subscribe(subject, { callback: (_error, message) => onMessage(message) })
  await Promise.all(connections.map((nats) => nats.flush()))
  return {
    async close() {
      await Promise.all(connections.map((nats) => nats.close()))
    },
  }
}

/** What every query that knows of versions answers, and the metrics. */
async function everythingOfTheApi(): Promise<Record<string, string>> {
  const record = await readEngineRecord(kre.dataDir)
  const token = (await readFile(join(kre.dataDir, 'token'), 'utf8')).trim()
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const get = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${record?.adminUrl}${path}`, { headers, ...init })
    return `${answer.status} ${await answer.text()}`
  }
  const query = `{ versions(runtimeId: "mine") { name status statusReason config { completed generation
    vars { key value type isSet updatedAt fingerprint } } } }`
  const graphql = await get('/graphql', { method: 'POST', body: JSON.stringify({ query }) })
  expect(graphql).toContain('"fingerprint"')
  return {
    graphql,
    metrics: await get('/metrics'),
    status: await get('/api/v1/status'),
    keys: await get('/api/v1/keys'),
  }
}

/** All command lines of this computer, and the environments of all but the nodes, which must have it. */
function processLists(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
        const isWorker = command.includes('kre_runner')
        return [command, isWorker ? '' : readFileSync(`/proc/${pid}/environ`, 'utf8')]
      } catch {
        return [] // it ended between the two looks
      }
    })
    .join('\n')
}

/**
 * Every file below the data folder. One kind must hold a value, for user code that wants a path: `files/` in the work
 * folder of its node, readable by that alone.
 */
function filesOfTheEngine(): Record<string, Buffer> {
  const files = readdirSync(kre.dataDir, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
  const own = files.filter((path) => /\/run\/work\/[^/]+\/files\/KEY$/.test(path))
  expect(own.length).toBeGreaterThan(0)
  for (const path of own) {
    expect(statSync(path).mode & 0o777).toBe(0o400)
    expect(statSync(join(path, '../..')).mode & 0o777).toBe(0o700)
  }
  const others = files.filter((path) => !own.includes(path))
  return Object.fromEntries(
    others.flatMap((path) => {
      try {
        return [[path, readFileSync(path)]]
      } catch {
        return [] // NATS lets blocks of its streams go
      }
    }),
  )
}

async function writeBundle(dir: string): Promise<void> {
  const workflow = (name: string, runner: 'ts' | 'py', replicas: number) => `
  - name: ${name.toLowerCase()}
    entrypoint: ${name}
    exitpoint: ${name.toLowerCase()}
    nodes:
      - name: ${name.toLowerCase()}
        image: konstellation/kre-${runner}:1.0
        src: src/node.${runner}
        replicas: ${replicas}
        subscriptions: [entrypoint]`
  const files = {
    'kre.yaml': `krtVersion: v2
version: rolled
description: answers with its configuration
entrypoint:
  proto: public_input.proto
  image: konstellation/kre-entrypoint:8.2
config:
  variables: [TOKEN, SECRET]
  files: [KEY]
workflows:${workflow('Single', 'ts', 1)}${workflow('Several', 'ts', 3)}${workflow('Python', 'py', 1)}
`,
    'public_input.proto': `syntax = "proto3";
package rolled;
service Entrypoint {
  rpc Single(Text) returns (Text);
  rpc Several(Text) returns (Text);
  rpc Python(Text) returns (Text);
}
message Text { string text = 1; }
`,
    'src/node.ts': `
import { create } from '@bufbuild/protobuf'
import { TextSchema } from '../gen/public_input_pb.js'
export async function defaultHandler(ctx, data) {
  const { text } = ctx.unpack(data, TextSchema)
  if (text === 'print') console.log('printed ' + process.env.TOKEN)
  if (text === 'throw') throw new Error('refused with ' + process.env.TOKEN)
  await ctx.sendOutput(create(TextSchema, { text: text === 'print' ? '' : process.env.TOKEN }))
}
`,
    'src/node.py': `
import os
from public_input_pb2 import Text
async def default_handler(ctx, data):
    text = Text()
    data.Unpack(text)
    if text.text == "print": print("printed " + os.environ["TOKEN"])
    if text.text == "throw": raise ValueError("refused with " + os.environ["TOKEN"])
    await ctx.send_output(Text(text="" if text.text == "print" else os.environ["TOKEN"]))
`,
  }
  await mkdir(join(dir, 'src'), { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content)
}
