/** examples/ocr as its README says it: by the command line, on an engine of its own. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')
const example = join(root, 'examples', 'ocr')
/** A first start may fetch models and build a Python environment. */
const START_TIMEOUT_MS = 300_000

let dataDir: string

/** @returns what the command says to programs. */
async function krectl(...words: string[]): Promise<unknown> {
  const main = join(root, 'engine', 'krectl', 'src', 'main.ts')
  const { stdout } = await run(process.execPath, [main, ...words, '--data', dataDir, '--json'], {
    env: { ...process.env, KRE_ADMIN_PORT: '0', KRE_ENTRYPOINT_PORT: '0' },
  })
  return JSON.parse(stdout)
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'example-ocr-'))
  await krectl('dev', '--no-example', '--detach')
  await krectl('runtime', 'create', 'office')
  await krectl('version', 'create', '-r', 'office', example)
  await krectl('version', 'start', '-r', 'office', 'ocr-v1')
  await krectl('version', 'publish', '-r', 'office', 'ocr-v1')
}, START_TIMEOUT_MS)

afterAll(async () => {
  await krectl('stop')
  await rm(dataDir, { recursive: true, force: true })
}, START_TIMEOUT_MS)

async function readText(png: Uint8Array): Promise<unknown> {
  const request = join(dataDir, 'request.json')
  await writeFile(request, JSON.stringify({ png: Buffer.from(png).toString('base64') }))
  return krectl('call', '-r', 'office', 'ReadText', `@${request}`)
}

test('a caller gets the lines of the sample in reading order', async () => {
  const lines = ['Invoice 2048 for Ada Lovelace', 'Total: 1,307.50 EUR', 'Due on 15 March 2027']
  expect(await readText(await readFile(join(example, 'sample.png')))).toMatchObject({
    answer: { lines: lines.map((text) => ({ text })), fullText: lines.join('\n') },
  })
})

test('a caller who sends no picture is told so', async () => {
  await expect(readText(Buffer.from('GIF89a'))).rejects.toMatchObject({
    stderr: expect.stringContaining('the picture is no PNG file'),
  })
})
