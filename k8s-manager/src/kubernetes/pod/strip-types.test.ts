import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { stripTypes } from './strip-types.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kre-strip-'))
})
afterEach(async () => rm(home, { recursive: true, force: true }))

async function strip(bundle: Record<string, string>) {
  for (const [path, text] of Object.entries(bundle)) {
    await mkdir(dirname(join(home, 'files', path)), { recursive: true })
    await writeFile(join(home, 'files', path), text)
  }
  const isAny = await stripTypes(join(home, 'files'), join(home, 'code'))
  const found = await readdir(join(home, 'code'), { recursive: true }).catch(() => [])
  return { isAny, found: found.filter((path) => path.endsWith('.js')).toSorted() }
}

test('code in TypeScript is there as JavaScript, with all that is left at its place', async () => {
  expect(
    await strip({
      'src/etl.ts': 'export const one: number = 1\n',
      'src/deep/other.mts': 'type A = 1\nexport {}\n',
      'gen/types.d.ts': 'export declare const no: number\n',
      'model.js': 'export const two = 2\n',
    }),
  ).toEqual({ isAny: true, found: ['src/deep/other.mts.js', 'src/etl.ts.js'] })
  const code = await readFile(join(home, 'code/src/etl.ts.js'), 'utf8')
  expect(code).toBe('export const one         = 1\n')
})

test('code that can not be stripped is left to who loads it', async () => {
  const bundle = {
    'enum.ts': 'enum A { one }\n',
    'wrong.ts': 'const = ;\n',
    'fine.ts': 'let a: 1\n',
  }
  expect(await strip(bundle)).toEqual({ isAny: true, found: ['fine.ts.js'] })
})

test('a bundle without TypeScript gets no folder', async () => {
  expect(await strip({ 'model.js': '1\n' })).toEqual({ isAny: false, found: [] })
})
