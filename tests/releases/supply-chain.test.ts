/** What the images are made of, held against rules: a change of package-lock.json that breaks one is seen here. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { IMAGE_NAMES, IMAGES, type ImageName } from '../../engine/krectl/src/images/image-list.ts'
import { parseLockFile, type LockedPackage } from '../../engine/krectl/src/images/lock-tree.ts'
import { contextFolders, packagesOf } from '../../engine/krectl/src/images/write-context.ts'
import { writePrograms } from '../../engine/krectl/src/images/write-programs.ts'
import { compareVersions } from '../../engine/krectl/src/commands/doctor.ts'
import { root } from '../support/kre.ts'

/** Least versions: older ones of these packages have published weaknesses. */
const FLOORS: Readonly<Record<string, string>> = {
  protobufjs: '8.0.2',
  'graphql-yoga': '5.21.3',
  undici: '7.24.0',
  nodemailer: '9.0.1',
  yaml: '2.8.3',
  tar: '7.5.21',
}
/** Licences that go with Apache-2.0, in what is shipped. */
const LICENCES = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PSF-2.0',
  'Unlicense',
])
/** Packages of others that an image may have: each one is somebody who could change what runs. */
const PACKAGES_MAX: Readonly<Record<ImageName, number>> = {
  // Half of them are the Kubernetes client's.
  engine: 145,
  entrypoint: 35,
  'runner-typescript': 35,
  'runner-python': 35,
  'runner-onnx': 35,
  'admin-ui': 0,
}
/** Their install scripts never run for an image: files are copied. */
const WITH_INSTALL_SCRIPT = ['onnxruntime-node']

const text = readFileSync(join(root, 'package-lock.json'), 'utf8')
const lock = parseLockFile(text)
const entries = (JSON.parse(text) as { packages: Record<string, { hasInstallScript?: true }> })
  .packages
/** What is in the image: of bundled programs, those packages alone of which something was taken in. */
async function readForeign(image: ImageName): Promise<LockedPackage[]> {
  const spec = IMAGES[image]
  const platform = { os: 'linux', cpu: 'x64' } as const
  const input = { root, lock, spec, platform, version: '0.0.0' }
  const tree = packagesOf(input)
  const isBundled = Object.keys(spec.bundled).length > 0
  const scratch = await mkdtemp(join(tmpdir(), 'kre-supply-'))
  const packages = isBundled ? await writePrograms(input, tree, contextFolders(scratch)) : tree
  await rm(scratch, { recursive: true, force: true })
  return packages.filter(({ isOurs }) => !isOurs)
}
const foreign = new Map<ImageName, LockedPackage[]>()
beforeAll(async () => {
  for (const image of IMAGE_NAMES) foreign.set(image, await readForeign(image))
})

describe.each(IMAGE_NAMES)('the packages in the image "%s"', (image) => {
  let packages: LockedPackage[]
  beforeAll(() => {
    packages = foreign.get(image) ?? []
  })

  test('are at least as new as the versions without published weaknesses', () => {
    const old = packages.filter(({ name, version }) => {
      const least = FLOORS[name]
      return least !== undefined && compareVersions(version, least) < 0
    })
    expect(old.map(({ name, version }) => `${name} ${version}`)).toEqual([])
  })

  test('have licences that go with ours, and digests that npm checks', () => {
    const wrong = packages.filter(({ license, integrity }) => {
      const names = (license ?? 'none').replaceAll(/[()]/g, '').split(/ (?:AND|OR) /)
      return !names.every((name) => LICENCES.has(name)) || integrity?.startsWith('sha512-') !== true
    })
    expect(wrong.map(({ name, license }) => `${name}: ${license}`)).toEqual([])
  })

  test('are few, and bring no program that an installation runs', () => {
    expect(new Set(packages.map(({ name }) => name)).size).toBeLessThanOrEqual(PACKAGES_MAX[image])
    const scripted = packages.filter(({ path }) => entries[path]?.hasInstallScript === true)
    expect(WITH_INSTALL_SCRIPT).toEqual(expect.arrayContaining(scripted.map(({ name }) => name)))
  })
})

test('every floor is of a package that some image has', () => {
  const names = new Set([...foreign.values()].flat().map(({ name }) => name))
  expect(Object.keys(FLOORS).filter((name) => !names.has(name))).toEqual([])
})

test('packages of this repository are named by exact versions', () => {
  const loose = Object.entries(entries as Record<string, { dependencies?: Record<string, string> }>)
    .filter(([path]) => path !== '' && !path.includes('node_modules'))
    .flatMap(([path, { dependencies = {} }]) =>
      Object.entries(dependencies)
        .filter(([name, version]) => !name.startsWith('@kre/') && !/^\d+\.\d+\.\d+$/.test(version))
        .map(([name, version]) => `${path}: ${name} ${version}`),
    )
  expect(loose).toEqual([])
})
