/** Builds images: collects what goes into each, writes its bill of materials, and calls the builder. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDir, type Context } from '../context.ts'
import { askProgram, runProgram } from '../programs/run-program.ts'
import {
  architectureOf,
  idCall,
  imageCall,
  imageLabels,
  type Builder,
  type Epoch,
} from './build-calls.ts'
import { compressedBytes } from './compressed-bytes.ts'
import { IMAGES, type ImageName } from './image-list.ts'
import { parseLockFile, type LockFile, type Platform } from './lock-tree.ts'
import { makeDebianBases, type Bases } from './make-bases.ts'
import { writeContext } from './write-context.ts'
import { writeSbom } from './write-sbom.ts'

export type BuildRequest = {
  images: readonly ImageName[]
  builder: Builder
  platform: Platform
  /** In front of each image's name: `localhost/kre`. */
  repository: string
  tag: string
  /** `debian`: made here; else references. */
  bases: 'debian' | { node: string; python: string; pythonSite: string | null }
  /** Whether the compressed size is wanted, which takes seconds per image. */
  withSizes: boolean
  /** Of a builder elsewhere. */
  environment: Readonly<Record<string, string>>
}

export type BuiltImage = {
  image: ImageName
  reference: string
  id: string
  /** Null = not asked for. */
  compressedBytes: number | null
  /** File with the bill of materials, which is in the image as `/opt/kre/sbom.cdx.json` too. */
  sbom: string
}

type Commit = { revision: string | null; epoch: Epoch }

/** Folder of bills of materials, and of what was pushed. */
export function imagesDir(context: Pick<Context, 'root' | 'cwd' | 'environment'>): string {
  return join(cacheDir(context), 'images')
}

/** @throws KreError `failed-precondition` naming the step that failed; images before it are built. */
export async function buildImages(context: Context, request: BuildRequest): Promise<BuiltImage[]> {
  const folder = imagesDir(context)
  await mkdir(folder, { recursive: true })
  // Of this build alone: another one may run at the same time.
  const work = await mkdtemp(join(folder, 'build-'))
  try {
    return await buildAll(context, request, work)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function buildAll(
  context: Context,
  request: BuildRequest,
  work: string,
): Promise<BuiltImage[]> {
  const { images, builder, platform, environment } = request
  const lock = parseLockFile(await readFile(join(context.root, 'package-lock.json'), 'utf8'))
  const commit = await readCommit(context)
  const version = await readVersion(context)
  const withUi = images.some((image) => IMAGES[image].files.includes('admin-ui/dist'))
  if (withUi) await buildUi(context)
  const withPython = images.includes('runner-python')
  const bases: Bases =
    request.bases === 'debian'
      ? await makeDebianBases(context, {
          builder,
          platform,
          epoch: commit.epoch,
          folder: work,
          withPython,
          environment,
        })
      : { ...request.bases, contents: null }
  const built: BuiltImage[] = []
  for (const image of images)
    built.push(await buildOne(context, request, { image, lock, bases, commit, version, work }))
  return built
}

type OneInput = {
  image: ImageName
  lock: LockFile
  bases: Bases
  commit: Commit
  version: string
  /** Folder for what is made on the way. */
  work: string
}

async function buildOne(
  context: Context,
  request: BuildRequest,
  { image, lock, bases, commit, version, work }: OneInput,
): Promise<BuiltImage> {
  const { builder, platform, environment, repository, tag } = request
  const spec = IMAGES[image]
  const reference = `${repository}/${image}:${tag}`
  const out = join(work, image)
  context.output.step(`Building ${reference} (${architectureOf(platform)}) with ${builder}`)
  const packages = await writeContext({ root: context.root, lock, spec, platform, version }, out)
  if (spec.wheels.length > 0) await addWheels(context, spec.wheels, platform, out)
  const kind = image === 'runner-python' ? 'python' : 'node'
  const base = bases[kind]
  const sbom = join(imagesDir(context), `${image}.cdx.json`)
  const bill = writeSbom({
    name: `kre/${image}`,
    version: tag,
    description: spec.description,
    packages,
    wheels: spec.wheels,
    base: {
      reference: base,
      nodeVersion: bases.contents?.nodeVersion ?? null,
      debian: bases.contents?.debian[kind] ?? [],
    },
  })
  for (const file of [sbom, join(out, 'code', 'sbom.cdx.json')]) await writeFile(file, bill)
  const { title, description } = spec
  await runProgram(
    context,
    imageCall({
      builder,
      image,
      reference,
      platform,
      context: out,
      containerfile: join(context.root, 'images/Containerfile'),
      bases,
      labels: imageLabels({ title, description, version: tag, base, ...commit }),
      epoch: commit.epoch,
      environment,
    }),
  )
  const id = await askProgram(context, { ...idCall(builder, reference), environment })
  const bytes = request.withSizes
    ? await compressedBytes(context, builder, reference, environment)
    : null
  return { image, reference, id, compressedBytes: bytes, sbom }
}

/**
 * For the folder where its CPython looks for packages: wheels with compiled code for CPython of any version, by pip, which
 * checks what it gets.
 */
async function addWheels(
  context: Context,
  wheels: readonly string[],
  platform: Platform,
  out: string,
): Promise<void> {
  const machine = platform.cpu === 'x64' ? 'x86_64' : 'aarch64'
  await runProgram(context, {
    program: 'python3',
    args: [
      '-m',
      'pip',
      'install',
      '--no-deps',
      '--no-compile',
      '--disable-pip-version-check',
      '--root-user-action=ignore',
      '--only-binary=:all:',
      '--implementation',
      'cp',
      '--abi',
      'abi3',
      '--python-version',
      '3.9',
      '--platform',
      `manylinux2014_${machine}`,
      '--quiet',
      '--target',
      join(out, 'python'),
      ...wheels,
    ],
  })
}

async function buildUi(context: Context): Promise<void> {
  context.output.step('Building the admin UI')
  const script = join(context.root, 'admin-ui/scripts/build.ts')
  await runProgram(context, {
    program: process.execPath,
    args: [...process.execArgv, script],
    cwd: context.root,
    environment: { NODE_ENV: 'production' },
  })
}

/** Of the checkout; without one, images have the time 0. */
async function readCommit(context: Context): Promise<Commit> {
  const call = { program: 'git', args: ['log', '-1', '--format=%H %ct'], cwd: context.root }
  const [revision = '', seconds = ''] = (await askProgram(context, call).catch(() => '')).split(' ')
  return revision === '' ? { revision: null, epoch: 0 } : { revision, epoch: Number(seconds) }
}

async function readVersion({ root }: Context): Promise<string> {
  const text = await readFile(join(root, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
