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
  let mustFail = false
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
    },
  })
  return {
    bundles,
    cacheDir,
    extractions,
    failNext: () => void (mustFail = true),
    [Symbol.asyncDispose]: async () => {
      bundles.keepOnly([])
      await rm(dir, { recursive: true })
    },
  }
}
