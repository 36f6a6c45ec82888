import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { createMemoryStore, inChunks } from '../testing/read-in-memory.ts'
import { type BundleLimits, lowerLimits } from '../limits.ts'
import { checkScript } from './check-script.ts'
import { createTypeStripper } from '../stripper/type-stripper.ts'
import { checkSources } from './check-sources.ts'

async function placesOf(
  files: Record<string, string>,
  limits: Partial<BundleLimits> = { checkedSourceBytesMax: 1_000 },
  isNamed: (path: string) => boolean = () => true,
): Promise<string[]> {
  const contents = createMemoryStore()
  const all = await Promise.all(
    Object.entries(files).map(async ([path, text]) => ({
      path,
      executable: false,
      ...(await contents.put(inChunks(Buffer.from(text)))),
    })),
  )
  const byPath = new Map(all.map((file) => [file.path, file]))
  const sources = all.filter(({ path }) => isNamed(path))
  const issues = await checkSources(sources, byPath, contents, lowerLimits(limits))
  return issues.map(({ code, file, line, column }) => `${code} ${file}:${line}:${column}`)
}

describe('checkScript', () => {
  const stripper = createTypeStripper()

  test.each([
    ['a.ts', 'export const a: number = 1\n'],
    ['a.ts', 'import { x } from "nowhere"\nawait x(import.meta.url)\n'],
    ['a.mts', 'type A<T> = T extends string ? 1 : 2\nexport type { A }\n'],
    ['a.js', 'export const a = 1\n'],
    ['a.js', 'const a = require("x")\nmodule.exports = () => { return a }\nreturn\n'],
    ['a.cjs', 'return require("x")\n'],
    ['a.mjs', 'await 1\n'],
    ['a.js', '#!/usr/bin/env node\nexport {}\n'],
    ['a.ts', ''],
  ])('accepts %s with %j', async (path, text) => {
    expect(await checkScript(path, text, stripper)).toHaveProperty('imports')
  })

  test.each([
    ['a.ts', 'const ok = 1\nconst a: number = ;\n', 2, 19],
    ['a.ts', 'enum A { B }\n', 1, 1],
    ['a.ts', 'class A { constructor(private x: number) {} }\n', 1, 31],
    ['a.mjs', 'let a = 1\n  let b = = 2\n', 2, 11],
    ['a.mjs', 'return 1\n', 1, 1],
    ['a.ts', 'const dec = (v: any) => v\nclass A {\n  @dec x = 1\n}\n', 3, 3],
    ['a.js', 'function (\n', 1, 10],
    ['a.cjs', 'import x from "y"\n', 1, 1],
  ])('finds the place in %s with %j', async (path, text, line, column) => {
    expect(await checkScript(path, text, stripper)).toMatchObject({
      code: 'SRC_SYNTAX',
      file: path,
      line,
      column,
    })
  })

  test('runs nothing of what it reads', async () => {
    expect(await checkScript('a.ts', 'globalThis.krtWasRun = true\n', stripper)).toEqual({
      imports: [],
    })
    expect(await checkScript('a.cjs', 'globalThis.krtWasRun = true\n', stripper)).toEqual({
      imports: [],
    })
    expect(globalThis).not.toHaveProperty('krtWasRun')
  })
})

describe('code that is nested without end', () => {
  const nested = '('.repeat(100_000)

  /** In a process of its own: the type stripper of this one would be of no use afterwards. */
  async function check(files: readonly (readonly [path: string, text: string])[]) {
    const at = (path: string) => new URL(path, import.meta.url).href
    const script = `import { checkScript } from '${at('check-script.ts')}'
      import { createTypeStripper } from '${at('../stripper/type-stripper.ts')}'
      await using stripper = createTypeStripper()
      const found = []
      for (const [path, text] of JSON.parse(await new Response(process.stdin).text()))
        found.push(await checkScript(path, text, stripper))
      process.stdout.write(JSON.stringify(found))`
    const flags = ['--experimental-vm-modules', '--no-warnings', '--input-type=module']
    const running = promisify(execFile)(process.execPath, [...flags, '-e', script])
    running.child.stdin?.end(JSON.stringify(files))
    return JSON.parse((await running).stdout) as unknown[]
  }
  const broken = (file: string) =>
    expect.objectContaining({ code: 'SRC_SYNTAX', file, line: 1, column: 1 })

  test('is wrong, and other files are not for it', async () => {
    expect(
      await check([
        ['a.ts', nested],
        ['fine.ts', 'const a: number = 1\n'],
        ['b.ts', nested],
        ['c.js', '['.repeat(100_000)],
        ['wrong.ts', 'const ok = 1\nconst a: number = ;\n'],
        ['fine.ts', 'import "./a.ts"\n'],
      ]),
    ).toEqual([
      expect.objectContaining({
        message: 'the type stripper broke on it: memory access out of bounds',
        hint: expect.stringMatching(/nest less/),
      }),
      { imports: [] },
      broken('b.ts'),
      broken('c.js'),
      expect.objectContaining({ code: 'SRC_SYNTAX', line: 2, column: 19 }),
      { imports: ['./a.ts'] },
    ])
  })

  test('costs a compiler five times, and no more', async () => {
    const files = Array.from({ length: 6 }, (_, i) => [`${i}.ts`, nested] as const)
    const found = await check([...files, ['fine.ts', '']])
    expect(found).toEqual([...files.slice(0, 5).map(([path]) => broken(path)), null, null])
  })
})

describe('checkSources', () => {
  test('finds the first error of each file, leaves other languages alone, and says what is too large', async () => {
    const files = {
      'src/a.py': 'def f():\n    return (1\n',
      'src/b.ts': 'const = 1\n',
      'src/good.py': 'match 1:\n    case _: pass\n',
      'src/big.py': `def (${' '.repeat(1_000)}`,
      'bin/c': '\u0000\u0001',
    }
    expect(await placesOf(files)).toEqual([
      expect.stringMatching(/^SRC_SYNTAX src\/b\.ts:1:/),
      'SRC_SYNTAX src/a.py:2:12',
      'SRC_UNCHECKED src/big.py:0:0',
    ])
  })

  test('names twenty sources that are too large, and counts the others', async () => {
    const names = Array.from({ length: 22 }, (_, i) => `src/big${i}.ts`)
    const files = Object.fromEntries(names.map((name) => [name, `//${name} ${' '.repeat(1_000)}`]))
    const places = await placesOf(files)
    expect(places).toHaveLength(21)
    expect(places.at(-1)).toBe('SRC_UNCHECKED :0:0')
  })

  test('checks no more than it has time for, the same content once, and says what it left', async () => {
    const bad = 'const = 1\n'
    const files = { 'a.ts': bad, 'b.ts': bad, 'c.ts': `${bad} `, 'd.ts': `${bad}  `, 'bin/x': bad }
    expect(await placesOf(files, { checkedSourcesTotalBytesMax: 21 })).toEqual([
      expect.stringMatching(/^SRC_SYNTAX a\.ts:1/),
      expect.stringMatching(/^SRC_SYNTAX c\.ts:1/),
      'SRC_UNCHECKED :0:0',
    ])
  })

  test('looks at what modules of nodes import, once, however they import each other', async () => {
    const files = {
      'src/node.ts': `import type { A } from './types.ts'
        import { b } from './lib/b.ts'
        import data from './data.json' with { type: 'json' }
        import { pb } from '../gen/made_later_pb.js'
        import 'package'\n`,
      'src/lib/b.ts':
        'export * from "../node.ts"\nimport "./c.mjs?x"\nawait import("./later.ts")\n',
      'src/lib/c.mjs': 'let a = = 1\n',
      'src/lib/later.ts': 'const = 1\n',
      'src/types.ts': 'const = 2\n',
      'src/data.json': 'const',
      'src/apart.ts': 'const = 3\n',
    }
    const isNamed = (path: string) => path === 'src/node.ts'
    expect(await placesOf(files, {}, isNamed)).toEqual(['SRC_SYNTAX src/lib/c.mjs:1:9'])
  })

  test('says nothing of large files that modules import: they are no sources of nodes', async () => {
    const files = { 'a.ts': 'import "./b.ts"\n', 'b.ts': `const = 1${' '.repeat(100)}\n` }
    const isNamed = (path: string) => path === 'a.ts'
    for (const limits of [{ checkedSourceBytesMax: 50 }, { checkedSourcesTotalBytesMax: 50 }])
      expect(await placesOf(files, limits, isNamed)).toEqual([])
  })

  test('does not take Python that costs too much memory for wrong', async () => {
    const files = { 'a.py': 'def (\n', 'big.py': 'a\n'.repeat(130_000) }
    expect(await placesOf(files, {})).toEqual(['SRC_SYNTAX a.py:1:5', 'SRC_UNCHECKED :0:0'])
  })

  test('takes what Python takes: another encoding, tabs, a NUL as an error', async () => {
    const files = { 'a.py': '# -*- coding: latin-1 -*-\nx = 1\n', 'b.py': 'x = 1\0\n' }
    expect(await placesOf(files)).toEqual([expect.stringMatching(/^SRC_SYNTAX b\.py:/)])
  })
})
