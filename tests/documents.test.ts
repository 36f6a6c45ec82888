/** Whoever types what the documents say gets what they promise: every block of shell commands is run. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, jest, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { root } from './support/kre.ts'

/** Python environments may be built on the way. */
jest.setTimeout(300_000)

/** Commands that are known to be there, and take minutes: only their names are checked. */
const NOT_RUN: readonly { line: RegExp; because: string }[] = [
  { line: /^\.\/krectl\.sh test\b/, because: 'it runs this test' },
  { line: /^(KRE_TEST_CLUSTER=\S+ )?npm run bench\b/, because: 'it measures for minutes' },
  { line: /--mongo '/, because: 'tests/engine-on-mongodb.test.ts runs an engine on MongoDB' },
  {
    line: /^\.\/krectl\.sh release\b/,
    because: 'tests/releases runs it in repositories of its own',
  },
  {
    line: /^(helm|kubectl) /,
    because: 'tests/chart installs the chart on a cluster that is built for it',
  },
  {
    line: /^\.\/krectl\.sh (start|build|deploy)\b|--target minikube/,
    because: 'engine/krectl/src/minikube calls programs that write down how they are called',
  },
  { line: /pip install -r train\//, because: 'training needs scikit-learn' },
  { line: /train\/train\.py$/, because: 'training needs scikit-learn' },
]

/** Of one picture: a page of documents has several. */
const PICTURE_BYTES_MAX = 150_000

const documents = [
  'README.md',
  ...(await readdir(join(root, 'docs')))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...(await readdir(join(root, 'examples'))).map((name) => `examples/${name}/README.md`),
]

describe.each(documents)('%s', (document) => {
  test('says only what works', async () => {
    const blocks = shellBlocks(await readFile(join(root, document), 'utf8'))
    if (blocks.length === 0) return
    await using home = await openHome()
    for (const block of blocks) {
      // What a document says about an engine is said about one that runs.
      const startsOne = block.some((line) => /^\.\/krectl\.sh (dev|krt)\b/.test(line))
      if (!startsOne) await home.succeeds('./krectl.sh dev --detach --no-example')
      for (const line of block) await runLine(home, line)
    }
  })
})

test('pictures in the documents are there, and small', async () => {
  const pictures: string[] = []
  for (const document of documents) {
    const text = await readFile(join(root, document), 'utf8')
    for (const [, inTag, inLink] of text.matchAll(
      /(?:src|srcset)="([^"]+)"|!\[[^\]]*\]\(([^)\s]+)/g,
    ))
      pictures.push(join(root, document, '..', inTag ?? inLink ?? ''))
  }
  expect(pictures.length).toBeGreaterThan(0)
  for (const picture of pictures) {
    const { size } = await stat(picture)
    expect([picture, size < PICTURE_BYTES_MAX]).toEqual([picture, true])
  }
})

async function runLine(home: Home, line: string): Promise<void> {
  const skipped = NOT_RUN.find((entry) => entry.line.test(line))
  if (skipped !== undefined) return
  if (/^\.\/krectl\.sh dev\b(?!.*--detach)/.test(line)) return home.untilInterrupted(line)
  await home.succeeds(line)
}

/** The commands of each ```sh block, one per line; a line that ends in a backslash goes on in the next. */
function shellBlocks(markdown: string): string[][] {
  return [...markdown.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = '']) =>
    text
      .replaceAll('\\\n', '')
      .split('\n')
      .map((line) => line.replace(/\s+# .*$/, '').trim())
      .filter((line) => line !== ''),
  )
}

type Home = AsyncDisposable & {
  /** Runs a line as a user would type it; it has to succeed. */
  succeeds(line: string): Promise<void>
  /** Runs a line that stays, interrupts it when it is up, and wants it to end well. */
  untilInterrupted(line: string): Promise<void>
}

/** A folder that looks like the checkout to whoever types commands in it, with a data folder of its own. */
async function openHome(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'kre docs ü-'))
  const script = join(folder, 'krectl.sh')
  await writeFile(script, `#!/bin/sh\nexec '${root}/krectl.sh' "$@"\n`)
  await chmod(script, 0o755)
  await mkdir(join(folder, 'examples'))
  for (const name of await readdir(join(root, 'examples')))
    await symlink(join(root, 'examples', name), join(folder, 'examples', name))

  const start = (line: string) => {
    // A process group of its own, which Ctrl-C reaches as a whole.
    const child = spawn('bash', ['-c', line], {
      cwd: folder,
      env: {
        ...process.env,
        KRE_DATA: join(folder, '.kre'),
        KRE_ADMIN_PORT: '0',
        KRE_ENTRYPOINT_PORT: '0',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const written = { text: '' }
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (written.text += chunk.toString()))
    return { child, written, ended: once(child, 'close') as Promise<[number | null]> }
  }
  const home: Home = {
    async succeeds(line) {
      const { written, ended } = start(line)
      const [code] = await ended
      expect({ line, code, said: written.text }).toMatchObject({ line, code: 0 })
    },
    async untilInterrupted(line) {
      const { child, written, ended } = start(line)
      await waitUntil(line, () => written.text.includes('Ctrl-C') || child.exitCode !== null, {
        timeoutMs: 240_000,
      })
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
      const [code] = await ended
      expect({ line, code, said: written.text }).toMatchObject({ line, code: 0 })
    },
    async [Symbol.asyncDispose]() {
      await home.succeeds('./krectl.sh stop --force')
      await rm(folder, { recursive: true, force: true })
    },
  }
  return home
}
