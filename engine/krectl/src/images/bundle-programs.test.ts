import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { bundlePrograms } from './bundle-programs.ts'
import { IMAGES } from './image-list.ts'

const root = resolve(import.meta.dirname, '../../../..')
let out: string
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'kre-programs-'))
})
afterAll(async () => rm(out, { recursive: true, force: true }))

/** Says each file that Node loads. */
const SAY_FILES = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  registerHooks({ load(url, context, next) { console.log(url); return next(url, context) } })`)}`

/** Sources that a program has loaded when it finds out that it has nothing to do, as the bundler notes them. */
async function sourcesAtStart(folder: string, program: string): Promise<string[]> {
  const args = ['--import', SAY_FILES, join(folder, `${program}.js`)]
  const env = { KRE_LAUNCH_FILE: join(folder, 'nothing'), NODE_DISABLE_COMPILE_CACHE: '1' }
  const { stdout } = await promisify(execFile)(process.execPath, args, { env }).catch(
    (error: unknown) => error as { stdout: string },
  )
  const files = stdout.split('\n').filter((url) => url.startsWith('file:'))
  const texts = await Promise.all(files.map(async (url) => readFile(fileURLToPath(url), 'utf8')))
  return texts.flatMap((text) =>
    // Or `//#region` before it, by the bundler's version.
    [...text.matchAll(/^\/\/(?:#region)? (\S+\/\S+)$/gm)].map(([, source = '']) => source),
  )
}

test.each([
  ['entrypoint', 'entrypoint'],
  ['runner-typescript', 'node-runner'],
] as const)('of "%s", no program loads at once what it may never need', async (image, program) => {
  const folder = join(out, image)
  const { bundled, provided } = IMAGES[image]
  const external = provided.filter((name) => !name.startsWith('@kre/'))
  const taken = await bundlePrograms({ root, programs: bundled, external }, folder)
  expect(taken).toContain(bundled[program])
  for (const [name, client] of [
    // An entrypoint reads what it serves from buckets, by the stock client.
    [program, program === 'entrypoint' ? 'none' : '@nats-io'],
    ['prepare', '@nats-io'],
  ] as const) {
    const heavy = new RegExp(`node_modules/(?:${client}|@bufbuild|tar|yaml|protobufjs)/`)
    const sources = await sourcesAtStart(folder, name)
    expect(sources.length).toBeGreaterThan(5)
    const found = sources.filter((source) => heavy.test(source))
    expect({ name, found }).toEqual({ name, found: [] })
  }
  // Both check messages without the library of schemas.
  for (const name of [program, 'prepare']) {
    const sources = await sourcesAtStart(folder, name)
    expect(sources.filter((source) => source.includes('node_modules/zod/'))).toEqual([])
  }
})

test('a program finds files from where its source was, and starts what its source starts', async () => {
  const repository = join(out, 'repository')
  const files = {
    'part/src/main.ts': `
      import { readFileSync } from 'node:fs'
      import { createRequire } from 'node:module'
      import { Worker } from 'node:worker_threads'
      import { shared } from './shared.ts'
      const text: string = readFileSync(new URL('../data.txt', import.meta.url), 'utf8')
      const later = createRequire(import.meta.url)('./later.ts') as { later(): string }
      new Worker(new URL('thread.ts', import.meta.url)).on('message', (said: string) =>
        console.log([text, later.later(), said, import.meta.dirname.endsWith('part/src'), shared.count].join(' ')))`,
    'part/src/shared.ts': `export const shared = { count: 0 }`,
    'part/src/later.ts': `
      import { shared } from './shared.ts'
      export const later = (): string => { shared.count++; return 'later' }`,
    'part/src/thread.ts': `
      import { parentPort } from 'node:worker_threads'
      parentPort?.postMessage('thread' as string)`,
    'part/data.txt': 'data',
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(repository, path)), { recursive: true })
    await writeFile(join(repository, path), text)
  }
  const folder = join(repository, 'programs')
  const taken = await bundlePrograms(
    { root: repository, programs: { part: 'part/src/main.ts' }, external: [] },
    folder,
  )
  expect(taken).toEqual(
    Object.keys(files)
      .filter((path) => path.endsWith('.ts'))
      .toSorted(),
  )
  // A folder of the image has it too, which the sources' is not.
  await writeFile(join(repository, 'package.json'), '{"type":"module"}')
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'part.js')])
  expect(stdout.trim()).toBe('data later thread true 1')
  const map = JSON.parse(await readFile(join(folder, 'part.js.map'), 'utf8')) as {
    sources: string[]
  }
  expect(map.sources).toContain('../part/src/main.ts')
})

test('a module of Node.js that is loaded later brings nothing along that nobody asked for', async () => {
  const repository = join(out, 'later')
  await mkdir(join(repository, 'src'), { recursive: true })
  await writeFile(
    join(repository, 'src/main.ts'),
    `const { createServer } = await import('node:http')
     const loaded = (process as unknown as { moduleLoadList: string[] }).moduleLoadList
     console.log(typeof createServer, loaded.filter((name) => name.includes('undici')).length)`,
  )
  const folder = join(repository, 'programs')
  await bundlePrograms(
    { root: repository, programs: { door: 'src/main.ts' }, external: [] },
    folder,
  )
  await writeFile(join(repository, 'package.json'), '{"type":"module"}')
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'door.js')])
  expect(stdout.trim()).toBe('function 0')
})
