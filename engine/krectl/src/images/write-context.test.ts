import { existsSync } from 'node:fs'
import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { IMAGES, type ImageName } from './image-list.ts'
import { isForeignShipped, isLicence, isOursShipped } from './is-shipped.ts'
import { parseLockFile, type LockedPackage, type LockFile, type Platform } from './lock-tree.ts'
import { traceImports } from './trace-imports.ts'
import { contextFolders, packagesOf, writeContext } from './write-context.ts'

const root = resolve(import.meta.dirname, '../../../..')
const LINUX: Platform = { os: 'linux', cpu: 'x64' }
/** Folder of a package: below node_modules, or one of ours. */
const PACKAGE =
  /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+|(?!.*node_modules)[\w-]+(?:\/[\w-]+)?)\/package\.json$/
let out: string
let lock: LockFile

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'kre-context-'))
  lock = parseLockFile(await readFile(join(root, 'package-lock.json'), 'utf8'))
})
afterAll(async () => rm(out, { recursive: true, force: true }))

/** Without what has to be built first. */
const specOf = (image: ImageName) => ({
  ...IMAGES[image],
  files: IMAGES[image].files.filter((path) => path !== 'admin-ui/dist'),
})
const inputOf = (image: ImageName) => ({
  root,
  lock,
  spec: specOf(image),
  platform: LINUX,
  version: '1.2.3',
})

describe.each<ImageName>([
  'engine',
  'entrypoint',
  'runner-typescript',
  'runner-python',
  'runner-onnx',
])('the image "%s"', (image) => {
  let code: string
  let modules: string
  let packages: LockedPackage[]
  beforeAll(async () => {
    packages = await writeContext(inputOf(image), join(out, image))
    ;({ code, modules } = contextFolders(join(out, image)))
  })

  test('has everything that its code imports, but what it has no use for', async () => {
    const missing: string[] = []
    for (const file of await sourcesOf(code))
      for (const specifier of await importsOf(join(code, file))) {
        if (isBuiltin(specifier) || specifier.startsWith('data:')) continue
        const found = specifier.startsWith('.')
          ? existsSync(resolve(code, dirname(file), specifier))
          : hasPackage([code, modules], dirname(file), packageOf(specifier))
        if (!found && !Object.hasOwn(IMAGES[image].omit, packageOf(specifier)))
          missing.push(`${file}: ${specifier}`)
      }
    expect(missing).toEqual([])
  })

  test('has no test, no type, and no tool', async () => {
    const files = [...(await filesOf(code)), ...(await filesOf(modules))]
    const isTool = (file: string) => /\.test\.|\.d\.ts$|\.map$|\/testing\//.test(file)
    expect(files.filter(isTool)).toEqual(
      // Maps of what is bundled say which source a stack trace is about.
      files.filter((file) => file.endsWith('_pb.d.ts') || /^programs\/.*\.map$/.test(file)),
    )
    const tools = /node_modules\/(?:jest|typescript|vite|oxlint|playwright-core|node)\//
    expect(files.filter((file) => tools.test(file))).toEqual([])
  })

  test('can be read by every user and written by none but its owner', async () => {
    for (const folder of [code, modules])
      for (const file of await filesOf(folder)) {
        const { mode } = await stat(join(folder, file))
        expect({ file, mode: [0o644, 0o755].includes(mode & 0o777) }).toEqual({
          file,
          mode: true,
        })
      }
  })

  test('has exactly the packages of its bill of materials', async () => {
    const found = [code, modules].map(async (folder) =>
      (await filesOf(folder)).flatMap((file) => PACKAGE.exec(file)?.[1] ?? []),
    )
    const paths = packages.map(({ path }) => path)
    expect((await Promise.all(found)).flat().toSorted()).toEqual(paths.toSorted())
    for (const { path, isOurs } of packages.filter(({ isOurs }) => !isOurs))
      expect({ path, isOurs, licences: await licencesOf(modules, path) }).toEqual({
        path,
        isOurs,
        licences: await licencesOf(root, path),
      })
  })

  test('leaves out nothing that is not there', () => {
    const names = new Set(
      packagesOf({ ...inputOf(image), spec: { ...specOf(image), omit: {} } }).map((p) => p.name),
    )
    expect([...names]).toEqual(expect.arrayContaining(Object.keys(IMAGES[image].omit)))
  })
})

test('a program comes with the files that it loads, and no more', async () => {
  const files = await traceImports(root, 'images/admin-ui/main.ts')
  expect(files).toEqual([
    'engine/admin-api/src/http/security-headers.ts',
    'engine/admin-api/src/routes/ui/ui-files.ts',
    'engine/admin-api/src/routes/ui/ui-page.ts',
    'images/admin-ui/main.ts',
  ])
  await expect(traceImports(root, 'images/nothing.ts')).rejects.toThrow('ENOENT')
})

test('packages of ours are found by their names', async () => {
  const { code } = contextFolders(join(out, 'engine'))
  const link = join(code, 'node_modules', '@kre', 'contracts')
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
  expect(await readlink(link)).toBe('../../engine/contracts')
  expect(JSON.parse(await readFile(join(link, 'package.json'), 'utf8'))).toMatchObject({
    name: '@kre/contracts',
  })
})

test('a package that was not installed is refused with what to do', async () => {
  const spec = { ...specOf('engine'), workspaces: [], files: ['nowhere'] }
  await expect(writeContext({ ...inputOf('engine'), spec }, join(out, 'x'))).rejects.toThrow(
    /nowhere is not there: "npm install"/,
  )
})

describe('of a package', () => {
  test.each([
    ['dist/index.js', true],
    ['index.d.ts', false],
    ['dist/index.js.map', false],
    ['README.md', false],
    ['LICENSE.md', true],
    ['node_modules/other/index.js', false],
    ['.eslintrc.js', false],
    ['lib/schema.json', true],
    ['build/Release/addon.node', true],
  ])('%s goes into an image: %p', (path, isShipped) => {
    expect(isForeignShipped(path, 'any', LINUX)).toBe(isShipped)
  })

  test.each([
    ['bin/napi-v6/linux/x64/libonnxruntime.so.1', true],
    ['bin/napi-v6/linux/arm64/libonnxruntime.so.1', false],
    ['bin/napi-v6/win32/x64/onnxruntime.dll', false],
    ['script/install.js', false],
    ['dist/index.js', true],
  ])('that runs models, %s goes into an image: %p', (path, isShipped) => {
    expect(isForeignShipped(path, 'onnxruntime-node', LINUX)).toBe(isShipped)
  })

  test.each([
    ['src/main.ts', true],
    ['src/guard.sh', true],
    ['src/main.test.ts', false],
    ['src/testing/index.ts', false],
    ['src/gen/open_inference_pb.js', true],
    ['README.md', false],
    ['node_modules/x/index.js', false],
  ])('of ours, %s goes into an image: %p', (path, isShipped) => {
    expect(isOursShipped(path)).toBe(isShipped)
  })
})

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

/** Of ours, as they are or bundled. */
async function sourcesOf(folder: string): Promise<string[]> {
  return (await filesOf(folder)).filter(
    (file) => (file.endsWith('.ts') && !file.endsWith('.d.ts')) || /^programs\/.*\.js$/.test(file),
  )
}

/** At the top of a package. */
async function licencesOf(folder: string, path: string): Promise<string[]> {
  return (await readdir(join(folder, path))).filter((file) => isLicence(file)).toSorted()
}

/** What a file loads when it runs: types bind nobody. */
async function importsOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8')
  const found = [
    /(?:^|\n)(?:import|export)(?!\s+type\b)\s+(?:[\w$*{}\s,]*?\sfrom\s+)?['"]([^'"\n]+)['"]/g,
    /\bimport\(['"]([^'"\n]+)['"]\)/g,
    /\brequire\(['"]([^'"\n]+)['"]\)/g,
    /new URL\(['"](\.[^'"\n]+\.[jt]s)['"], import\.meta\.url\)(?!\.href)/g,
  ]
  return found.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''))
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** As Node looks: in each node_modules upwards, of either layer. */
function hasPackage(layers: readonly string[], from: string, name: string): boolean {
  for (let folder = from; ; folder = dirname(folder)) {
    if (layers.some((layer) => existsSync(join(layer, folder, 'node_modules', name)))) return true
    if (folder === '.') return false
  }
}
