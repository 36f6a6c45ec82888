/** User code that attacks the computer it runs on: what each attempt comes to, in both languages. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { probeIsolation } from '@kre/service-kit/isolation'
import { connectForeign, type ForeignClient } from '../support/grpc-client.ts'
import { writeHostileBundle } from '../support/hostile-bundle.ts'
import { createKre, isAlive, type Kre, type Status } from '../support/kre.ts'

const VICTIM_TOKEN = 'CANARY-of-the-victim'
const { kind } = await probeIsolation(process.env)
const isOwnUser = kind === 'own-user'
/** Skips, visibly, where the engine is not root or the system lacks mount namespaces. */
const describeWithUsers = isOwnUser ? describe : describe.skip

let kre: Kre
let clients: { Typescript: ForeignClient; Python: ForeignClient }
let status: Status
const verdicts: string[] = []
const languages = ['Typescript', 'Python'] as const
type Language = (typeof languages)[number]

beforeAll(async () => {
  if (!isOwnUser) return
  kre = await createKre({ KRE_ISOLATION: 'required' })
  await kre.json('dev', '--detach', '--no-example')
  await kre.json('runtime', 'create', 'mine')
  for (const version of ['victim', 'evil']) {
    const bundle = join(kre.dataDir, '..', version)
    await writeHostileBundle(bundle, version)
    const types = await kre.run('krt', 'types', bundle)
    if (types.code !== 0) throw new Error(types.stderr)
    await kre.json('version', 'create', '-r', 'mine', bundle)
    const token = version === 'victim' ? VICTIM_TOKEN : 'CANARY-of-evil'
    await kre.json('config', 'set', '-r', 'mine', version, `TOKEN=${token}`)
    await kre.json('version', 'start', '-r', 'mine', version)
  }
  status = await kre.json<Status>('status')
  const address = addressOf('evil')
  clients = {
    Typescript: await connectForeign(address, 'hostile.Entrypoint', 'Typescript'),
    Python: await connectForeign(address, 'hostile.Entrypoint', 'Python'),
  }
})
afterAll(async () => {
  for (const client of Object.values(clients ?? {})) client[Symbol.dispose]()
  await kre?.[Symbol.asyncDispose]()
  process.stdout.write(`\nwhat user code could do here (${kind}):\n${verdicts.join('\n')}\n`)
})

function addressOf(version: string): string {
  return status.addresses.find((entry) => entry.version === version)?.address ?? ''
}
function pidOf(version: string, node: string): string {
  const found = status.processes.find((one) => one.version === version && one.node === node)
  return String(found?.pid ?? '')
}
function rolePid(role: string): string {
  return String(status.processes.find((one) => one.role === role)?.pid ?? '')
}

async function attempt(language: Language, verb: string, target = ''): Promise<string> {
  const answer = (await clients[language].call({ verb, target })) as { text: string }
  const shown = target.replace(kre.dataDir, '<data>')
  verdicts.push(`  ${language.padEnd(10)} ${verb} ${shown} -> ${answer.text.slice(0, 100)}`)
  return answer.text
}

describeWithUsers.each(languages)('user code in %s', (language) => {
  test('is nobody: no account, no capability, no variable of the engine', async () => {
    const [uid, capabilities] = (await attempt(language, 'whoami')).replace('DONE ', '').split(' ')
    expect(Number(uid)).toBeGreaterThanOrEqual(1_900_000_000)
    expect(Number(`0x${capabilities}`)).toBe(0)
    const names = (await attempt(language, 'environment')).replace('DONE ', '').split(',')
    expect(names.filter((name) => /^(KRE_(?!LAUNCH)|npm|NODE_|SSH|AWS)/.test(name))).toEqual([])
  })

  test("reads nothing of the engine's: data, keys, token, databases, launch files, NATS", async () => {
    const files = readdirSync(kre.dataDir, { recursive: true, encoding: 'utf8' }).filter(
      (path) => !path.startsWith('cache') && !path.includes('files/'),
    )
    expect(files).toEqual(
      expect.arrayContaining(['token', 'master-key', 'pepper', 'kre.sqlite', 'nats']),
    )
    for (const name of ['token', 'master-key', 'pepper', 'kre.sqlite', 'engine.json', 'ports.json'])
      expect(await attempt(language, 'read', join(kre.dataDir, name))).toMatch(/^REFUSED/)
    // What is there of the data folder is its own bundle, work, compiled code and launch file.
    expect(await attempt(language, 'list', kre.dataDir)).toMatch(/^DONE (cache,run|run,cache)$/)
    expect(await attempt(language, 'list', join(kre.dataDir, 'run'))).toMatch(
      /^DONE (?:(?:code|launch|work),?)+$/,
    )
    expect(await attempt(language, 'list', join(kre.dataDir, 'run', 'work'))).toMatch(
      /^DONE [\w-]+$/,
    )
    expect(await attempt(language, 'list', '/root')).not.toMatch(/\.ssh|\.bash/)
    expect(await attempt(language, 'list', '/run')).toMatch(/^DONE (systemd)?$/)
  })

  test('sees no other process, and can neither read, trace nor end one', async () => {
    // Its runner, and its worker or what it starts to look.
    const own = await attempt(language, 'processes')
    expect(Number(own.replace('DONE ', ''))).toBeLessThanOrEqual(3)
    const others = {
      engine: rolePid('engine'),
      nats: rolePid('nats-server'),
      victim: pidOf('victim', 'typescript'),
      sibling: pidOf('evil', language === 'Python' ? 'typescript' : 'python'),
    }
    for (const [name, pid] of Object.entries(others)) {
      expect([name, pid]).toEqual([name, expect.stringMatching(/^\d+$/)])
      for (const file of ['environ', 'cmdline', 'maps', 'root/etc/hostname'])
        expect(await attempt(language, 'read', `/proc/${pid}/${file}`)).toMatch(/^REFUSED/)
      expect(await attempt(language, 'kill', pid)).toMatch(/^REFUSED/)
      expect(await attempt(language, 'ptrace', pid)).toMatch(/-1 (1|3)/)
      expect(isAlive(Number(pid))).toBe(true)
    }
    // Everybody it may end: that is itself, with its runner.
    const before = Number(pidOf('evil', language.toLowerCase()))
    const outcome = await attempt(language, 'kill', '-1').catch(() => 'ended itself')
    verdicts.push(`  ${language.padEnd(10)} kill everybody -> ${outcome}`)
    if (outcome === 'ended itself') await nodeReady(language, before)
    for (const pid of Object.values(others).slice(0, 3)) expect(isAlive(Number(pid))).toBe(true)
  })

  test('can not change its bundle, the runner or the system', async () => {
    const [where = ''] = (await attempt(language, 'where')).replace('DONE ', '').split('|')
    for (const path of [where, join(where, 'src'), '/etc', '/usr/bin', process.cwd()])
      expect(await attempt(language, 'write', join(path, 'planted'))).toMatch(/^REFUSED/)
    expect(await attempt(language, 'append', join(where, 'src/node.ts'))).toMatch(/^REFUSED/)
    expect(await attempt(language, 'unlock', join(where, 'src/node.ts'))).toMatch(/^REFUSED/)
    expect(await attempt(language, 'append', join(process.cwd(), 'package.json'))).toMatch(
      /^REFUSED/,
    )
  })

  test('has temporary files of its own and of bounded size, and bounded files', async () => {
    const text = await attempt(language, 'where')
    expect(text.split('|')[1]).toBe('/tmp')
    expect(await attempt(language, 'fill', '/tmp')).toMatch(/^DONE 25\d MiB, (ENOSPC|28)/)
    expect(await attempt(language, 'files')).toMatch(/^DONE 4\d\d\d files, (EMFILE|24)/)
    // Another version's is another one.
    expect(await attempt(language, 'write', `/tmp/of-${language}`)).toMatch(/^DONE/)
    const client = await connectForeign(addressOf('victim'), 'hostile.Entrypoint', language)
    const seen = (await client.call({ verb: 'list', target: '/tmp' })) as { text: string }
    client[Symbol.dispose]()
    expect(seen.text).toMatch(/^DONE/)
    expect(seen.text).not.toContain('of-')
  })

  test('reaches the admin API without its token only, and can not take its port', async () => {
    const admin = `http://${status.addresses.find(({ name }) => name === 'admin API')?.address}`
    expect(await attempt(language, 'fetch', `${admin}/graphql`)).toMatch(/401/)
    expect(await attempt(language, 'listen', new URL(admin).port)).toMatch(/^REFUSED/)
  })

  test('that forks without end is bounded, and is gone with its runner', async () => {
    const text = await attempt(language, 'fork').catch(() => 'ended itself')
    if (text !== 'ended itself') expect(Number(/\d+/.exec(text)?.[0])).toBeLessThan(512)
    // On a busy computer so many starts take longer than a runner may be silent, or a caller waits: then it was replaced,
    // and the next one may have done the same.
    const pid = await waitUntil('a runner', async () => {
      status = await kre.json<Status>('status')
      const found = Number(pidOf('evil', language.toLowerCase()))
      return found > 0 && isAlive(found) ? found : null
    })
    const uid = uidOf(pid)
    process.kill(pid, 'SIGKILL')
    await waitUntil('its children ended with it', () => uidsOf(uid).length < 20)
    await nodeReady(language, pid)
  })

  test('that takes memory without end is ended, alone', async () => {
    const victim = pidOf('victim', 'typescript')
    const before = pidOf('evil', language.toLowerCase())
    await expect(clients[language].call({ verb: 'memory', target: '' })).rejects.toThrow()
    verdicts.push(`  ${language.padEnd(10)} memory -> ended`)
    await nodeReady(language, Number(before))
    expect(isAlive(Number(victim))).toBe(true)
    expect(isAlive(Number(rolePid('engine')))).toBe(true)
  })
})

test('nothing of the victim was in any answer, and its values are on no disk in plain text', () => {
  if (!isOwnUser) return
  expect(verdicts.join('\n')).not.toContain(VICTIM_TOKEN)
  const files = readdirSync(kre.dataDir, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
  expect(files.filter((path) => contentOf(path).includes(VICTIM_TOKEN))).toEqual([])
})

/** Empty where the engine has removed the file meanwhile. */
function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}

/** Waits until the node runs in another process than `before`. */
async function nodeReady(language: Language, before: number): Promise<void> {
  await waitUntil('the node is back', async () => {
    status = await kre.json<Status>('status')
    const text = await clients[language].call({ verb: 'whoami', target: '' }).then(
      (answer) => (answer as { text: string }).text,
      () => '',
    )
    return text.startsWith('DONE') && pidOf('evil', language.toLowerCase()) !== String(before)
  })
}

/** NaN for one that has ended and was not waited for yet. */
function uidOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  if (/^State:\s+[ZX]/m.test(text)) return NaN
  return Number(/^Uid:\s+(\d+)/m.exec(text)?.[1])
}

function uidsOf(uid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return pid > 0 && uidOf(pid) === uid
      } catch {
        return false // it ended between the two looks
      }
    })
}
