/** `krectl apply` against the real engine: what documents say is there afterwards, and stays when they say it again. */
import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { createKre, type Kre } from './support/kre.ts'

type Applied = {
  plan: { mark: string; step: string }[]
  left: string[]
  applied: { step: string; outcome: string; error?: string }[] | null
}

let kre: Kre
let folder = ''

beforeAll(async () => {
  kre = await createKre({ GREETING_FOR_TEST: 'from the environment, a CANARY' })
  folder = join(kre.dataDir, '..')
  await kre.json('dev', '--detach', '--no-example')
  for (const name of ['one', 'two']) {
    const bundle = join(folder, name)
    await kre.json('krt', 'init', bundle)
    await edit(
      join(bundle, 'kre.yaml'),
      'workflows:',
      'config:\n  variables: [WORD, MARK]\n\nworkflows:',
    )
    await edit(join(bundle, 'src/greet.ts'), '!`', "! ${ctx.config('WORD')} ${ctx.config('MARK')}`")
  }
  await kre.json('krt', 'build', join(folder, 'two'), '-o', join(folder, 'two.krt'))
  await writeFile(join(folder, 'shop.env'), 'WORD=one\nMARK="CANARY in a file"\n')
})
afterAll(async () => kre?.[Symbol.asyncDispose]())

async function edit(file: string, before: string, after: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  if (!text.includes(before)) throw new Error(`${file} has no ${before}`)
  await writeFile(file, text.replace(before, after))
}
async function apply(document: string, ...words: string[]) {
  const file = join(folder, 'apply.yaml')
  await writeFile(file, document)
  const { code, stdout, stderr } = await kre.run('apply', '-f', file, '--json', ...words)
  // Values are in no output, whatever became of them.
  expect(stdout + stderr).not.toContain('CANARY')
  return { code, stderr, result: (stdout === '' ? null : JSON.parse(stdout)) as Applied | null }
}
const stepsOf = (result: Applied | null) => result?.plan.map(({ mark, step }) => `${mark} ${step}`)

const settings = 'kind: Settings\nallowedDomains: [Example.com]\nsessionLifetimeInDays: 12\n'
const user = 'kind: User\nemail: Eve@kre.io\nlevel: NONE\ngrants: { shop: MANAGER }\n'
const shop = (versions: string, published: string) =>
  `kind: Runtime\nid: shop\nname: The shop\ndescription: Greets\nlog: { days: 3, bytesMax: 2MiB }\nversions:\n${versions}published: ${published}\n`
const one = '  - bundle: one\n    envFile: shop.env\n    state: started\n'
const two =
  '  - bundle: two.krt\n    name: two-v1\n    envFile: shop.env\n    config: { MARK: { env: GREETING_FOR_TEST } }\n'

describe('krectl apply', () => {
  test('shows what it would do, and does nothing', async () => {
    const { code, result } = await apply(
      [settings, shop(one, 'one-v1'), user].join('---\n'),
      '--dry-run',
    )
    expect(code).toBe(0)
    expect(result?.applied).toBeNull()
    expect(stepsOf(result)).toEqual([
      '~ settings: authAllowedDomains = example.com, sessionLifetimeInDays = 12',
      '+ runtime shop: create',
      '~ runtime shop: keep 3 days and 2097152 bytes of its log',
      '+ version shop/one-v1: upload',
      '~ version shop/one-v1: set WORD, MARK',
      '~ version shop/one-v1: start',
      '~ version shop/one-v1: publish',
      '+ user eve@kre.io: let in shop=MANAGER',
    ])
    expect(await kre.json('runtime', 'list')).toEqual([])
  })

  test('does it, and then has nothing to do', async () => {
    const document = [settings, shop(one, 'one-v1'), user].join('---\n')
    const { code, stderr, result } = await apply(document)
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(result?.applied?.map(({ outcome }) => outcome)).toEqual(Array(8).fill('done'))
    // The entrypoint may hear of its version a moment after the engine has said so.
    await waitUntil('an answer of the published version', async () => {
      const { stdout } = await kre.run('call', '-r', 'shop', 'Greet', '{"name": "Ada"}')
      return stdout.includes('Hello, Ada! one CANARY in a file')
    })
    const again = await apply(document)
    expect(again).toMatchObject({ code: 0, result: { plan: [], applied: null } })
    expect(again.result?.left).toEqual([
      'settings',
      'runtime shop',
      'version shop/one-v1',
      'user eve@kre.io',
    ])
  })

  test('sets the one value that changed in its file', async () => {
    await edit(join(folder, 'shop.env'), 'WORD=one', 'WORD=other')
    const { result } = await apply(shop(one, 'one-v1'))
    expect(stepsOf(result)).toEqual(['~ version shop/one-v1: set WORD'])
    expect((await apply(shop(one, 'one-v1'))).result?.plan).toEqual([])
  })

  test('moves the published version, and stops the one before', async () => {
    const stopped = one.replace('started', 'stopped')
    const { code, result } = await apply(shop(two + stopped, 'two-v1'))
    expect({ code, steps: stepsOf(result) }).toEqual({
      code: 0,
      steps: [
        '+ version shop/two-v1: upload',
        '~ version shop/two-v1: set WORD, MARK',
        '~ version shop/two-v1: start',
        '~ version shop/two-v1: publish',
        '~ version shop/one-v1: stop',
      ],
    })
    expect((await apply(shop(two + stopped, 'two-v1'))).result?.plan).toEqual([])
  })

  test('removes what is pruned, when that was said', async () => {
    const asked = await apply(shop(two, 'two-v1'), '--prune')
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
    const { code, result } = await apply(shop(two, 'two-v1'), '--prune', '--yes')
    expect({ code, steps: stepsOf(result) }).toEqual({
      code: 0,
      steps: ['- version shop/one-v1: delete'],
    })
    expect(await kre.json('version', 'list', '-r', 'shop')).toMatchObject([{ name: 'two-v1' }])
  })

  test('refuses a bundle with other contents under a name that is taken, before anything is done', async () => {
    await edit(join(folder, 'two/src/clean.ts'), "'world'", "'nobody'")
    const changed = two.replace('two.krt', 'two')
    const { code, stderr, result } = await apply(
      `kind: Runtime\nid: other\n---\n${shop(changed, 'two-v1')}`,
    )
    expect({ code, result }).toEqual({ code: 1, result: null })
    expect(stderr).toMatch(/apply\.yaml:\d+:\d+: .*two-v1.*other contents/)
    expect(await kre.json('runtime', 'list')).toHaveLength(1)
  })

  test('says where documents are wrong', async () => {
    const wrong = [
      'kind: Runtime\nid: shop\nversions:\n  - bundle: nowhere\n',
      'kind: Runtime\nid: shop2\nversions:\n  - bundle: one\n    config: { MARK: { env: NOT_THERE } }\n',
    ].join('---\n')
    const { code, stderr } = await apply(wrong)
    expect(code).toBe(1)
    expect(stderr).toMatch(/apply\.yaml:4:5: there is no file or folder .*nowhere/)
    expect(stderr).toMatch(/apply\.yaml:10:15: MARK: the environment variable NOT_THERE is not set/)
  })

  test('tells what was done, what failed and what was not begun', async () => {
    const broken = join(folder, 'broken')
    await kre.json('krt', 'init', broken)
    await edit(
      join(broken, 'src/greet.ts'),
      'export async',
      "throw new Error('at start')\nexport async",
    )
    const { code, stderr, result } = await apply(
      `kind: Runtime\nid: broken\nversions: [{ bundle: broken, state: started }]\npublished: broken-v1\n---\n${user.replace('Eve', 'Bob')}`,
      '--timeout',
      '60s',
    )
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('ERROR') })
    expect(result?.applied?.map(({ step, outcome }) => `${outcome}: ${step}`)).toEqual([
      'done: runtime broken: create',
      'done: version broken/broken-v1: upload',
      'failed: version broken/broken-v1: start',
      'not done: version broken/broken-v1: publish',
      'not done: user bob@kre.io: let in shop=MANAGER',
    ])
    // What is in the way is left out, and the rest goes on from there.
    const rest = await apply(user.replace('Eve', 'Bob'))
    expect(stepsOf(rest.result)).toEqual(['+ user bob@kre.io: let in shop=MANAGER'])
  })

  test('reads documents from standard input', async () => {
    const { child, ended } = kre.start('apply', '-f', '-', '--dry-run', '--json')
    child.stdin?.end(settings)
    expect((await ended).code).toBe(2)
  })

  test('takes all of it away again', async () => {
    const { code, result } = await apply(
      settings,
      '--prune=versions,runtimes,users',
      '--yes',
      '--comment',
      'the end of a test',
    )
    expect({ code, last: stepsOf(result)?.at(-1) }).toMatchObject({ code: 0 })
    expect(await kre.json('runtime', 'list')).toEqual([])
    expect(await kre.json('user', 'list')).toHaveLength(1)
    await rm(join(folder, 'shop.env'))
    await chmod(folder, 0o755)
  })
})
