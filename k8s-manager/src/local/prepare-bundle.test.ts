import { describe, expect, test } from '@jest/globals'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPreparedBundles } from './prepare-bundle.ts'

describe('createPreparedBundles', () => {
  test('extracts once, however many nodes ask, and again only when it was not whole', async () => {
    await using place = await makePlace()
    const [one, two] = await Promise.all([place.bundles.prepare('d1'), place.bundles.prepare('d1')])
    expect(one).toEqual(two)
    await place.bundles.prepare('d1')
    expect(place.extractions).toEqual(['d1'])
    expect(readFileSync(one.descriptorSetPath)).toEqual(Buffer.from([7]))
    expect(existsSync(join(one.pythonModules, 'a_pb2.py'))).toBe(true)

    await rm(join(one.basePath, '..', 'complete'))
    await place.bundles.prepare('d1')
    expect(place.extractions).toEqual(['d1', 'd1'])
  })

  test('has its TypeScript without types beside it, once', async () => {
    await using place = await makePlace()
    for (const _ of ['made', 'found']) {
      const { strippedPath } = await place.bundles.prepare('d1')
      expect(readFileSync(join(strippedPath ?? '', 'src', 'etl.ts.js'), 'utf8')).toBe('code')
    }
    expect(place.stripped).toEqual([['src/etl.ts']])
  })

  test('leaves types in where they can not be stripped, and says so', async () => {
    await using place = await makePlace()
    place.failToStrip()
    expect(await place.bundles.prepare('d1')).toMatchObject({ strippedPath: null })
    expect(place.unstripped).toEqual(['d1'])
  })

  test('tries again after a failure', async () => {
    await using place = await makePlace()
    place.failNext()
    await expect(place.bundles.prepare('d1')).rejects.toThrow('disk full')
    await expect(place.bundles.prepare('d1')).resolves.toBeDefined()
  })

  test('removes read-only files of bundles nobody uses', async () => {
    await using place = await makePlace()
    await place.bundles.prepare('d1')
    const kept = await place.bundles.prepare('sha256:d2')
    place.bundles.keepOnly(['sha256:d2'])
    expect(readdirSync(place.cacheDir)).toEqual(['sha256-d2'])
    expect(existsSync(kept.basePath)).toBe(true)
  })
})

async function makePlace() {
  const dir = await mkdtemp(join(tmpdir(), 'kre-bundles-'))
  const cacheDir = join(dir, 'cache')
  const extractions: string[] = []
  const stripped: (readonly string[])[] = []
  const unstripped: string[] = []
  let mustFail = false
  let canStrip = true
  const bundles = createPreparedBundles(cacheDir, {
    path: async (digest) => join(dir, digest),
    descriptorSet: async () => Buffer.from([7]),
    tools: {
      async extractBundle(_archive, digest, directory) {
        extractions.push(digest)
        if (mustFail) {
          mustFail = false
          throw new Error('disk full')
        }
        await mkdir(join(directory, 'src'), { recursive: true })
        await writeFile(join(directory, 'src', 'etl.ts'), '', { mode: 0o444 })
        await chmod(join(directory, 'src'), 0o555)
      },
      async writePythonModules(_descriptors, directory) {
        await writeFile(join(directory, 'a_pb2.py'), '')
      },
      async stripBundle(_archive, files) {
        if (!canStrip) throw new Error('no process')
        stripped.push(files)
        return new Map(files.map((path) => [path, 'code']))
      },
    },
    onUnstripped: (digest) => void unstripped.push(digest),
  })
  return {
    bundles,
    cacheDir,
    extractions,
    stripped,
    unstripped,
    failNext: () => void (mustFail = true),
    failToStrip: () => void (canStrip = false),
    [Symbol.asyncDispose]: async () => {
      bundles.keepOnly([])
      await rm(dir, { recursive: true })
    },
  }
}
