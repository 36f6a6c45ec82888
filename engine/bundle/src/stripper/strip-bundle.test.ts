import { expect, test } from '@jest/globals'
import { ingestBundle } from '../ingest/ingest-bundle.ts'
import { krtOf } from '../testing/build-tar.ts'
import { inChunks } from '../testing/read-in-memory.ts'
import { SAMPLE_FILES } from '../testing/sample-bundle.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { stripBundle } from './strip-bundle.ts'

async function strip(files: Record<string, string>): Promise<Record<string, string>> {
  await using scratch = await temporaryFolder()
  const all = Object.entries({ ...SAMPLE_FILES, ...files })
  const stream = inChunks(krtOf(all.map(([path, content]) => ({ path, content }))))
  const bundle = await ingestBundle({ stream }, { scratchDir: scratch.path })
  if (!bundle.ok) throw new Error(JSON.stringify(bundle.issues))
  const code = await stripBundle(bundle.file, bundle.facts.files)
  return Object.fromEntries([...code].filter(([path]) => Object.hasOwn(files, path)))
}

test('code in TypeScript comes as JavaScript, with all that is left at its place', async () => {
  expect(
    await strip({
      'lib/etl.ts': 'export const one: number = 1\n',
      'lib/deep/other.mts': 'type A = 1\nexport {}\n',
      'gen/types.d.ts': 'export declare const no: number\n',
      'lib/model.js': 'export const two = 2\n',
    }),
  ).toEqual({
    'lib/etl.ts': 'export const one         = 1\n',
    'lib/deep/other.mts': '          \nexport {}\n',
  })
})

test('code that can not be stripped is left to who loads it', async () => {
  const found = await strip({
    'lib/enum.ts': 'enum A { one }\n',
    'lib/wrong.ts': 'const = ;\n',
    'lib/fine.ts': 'let a: 1\n',
  })
  expect(found).toEqual({ 'lib/fine.ts': 'let a   \n' })
})

test('code that is nested without end leaves other code alone', async () => {
  const nested = '('.repeat(100_000)
  expect(await strip({ 'lib/a.ts': nested, 'lib/fine.ts': 'let a: 1\n' })).toEqual({
    'lib/fine.ts': 'let a   \n',
  })
})

test('a bundle without TypeScript is not even opened', async () => {
  expect(await stripBundle('/nowhere/at/all.krt', ['model.js', 'types.d.ts'])).toEqual(new Map())
})

test('an archive that is not there is said', async () => {
  await expect(stripBundle('/nowhere/at/all.krt', ['etl.ts'])).rejects.toThrow(/ENOENT/)
})
