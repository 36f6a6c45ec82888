import { writeFile, mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { KreError, MiB } from '@kre/contracts'
import type { Context } from '../context.ts'
import { buildImages, imagesDir, type BuiltImage } from '../images/build-images.ts'
import { BUILDERS } from '../images/build-calls.ts'
import { findBuilder } from '../images/find-builder.ts'
import { IMAGE_NAMES, type ImageName } from '../images/image-list.ts'
import type { Platform } from '../images/lock-tree.ts'
import type { PushedImages } from '../minikube/chart-values.ts'
import { CLUSTER_REGISTRY, clusterDocker, parseDockerVariables } from '../minikube/cluster-calls.ts'
import { readClusterSettings } from '../minikube/cluster-settings.ts'
import { UsageError } from '../output/exit-code.ts'
import { table } from '../output/output.ts'
import { askProgram, runProgram } from '../programs/run-program.ts'

const DISTROLESS = {
  node: 'gcr.io/distroless/nodejs24-debian12:nonroot',
  python: 'docker.io/library/python:3.13-slim-bookworm',
}
const ARCHITECTURES: Readonly<Record<string, Platform>> = {
  amd64: { os: 'linux', cpu: 'x64' },
  arm64: { os: 'linux', cpu: 'arm64' },
}

type BuildOptions = {
  engine?: string
  tag: string
  repository: string
  arch?: string
  base: string
  nodeBase?: string
  pythonBase?: string
  size: boolean
  target?: string
}

export function buildCommand(program: Command, context: Context): void {
  program
    .command('build [images...]')
    .description(
      `builds the images of KRE, or the ones that are named: ${IMAGE_NAMES.join(', ')}; prints their compressed sizes`,
    )
    .option('--engine <name>', `${BUILDERS.join(', ')} (default: the first one on the PATH)`)
    .option('--tag <tag>', 'of the images', 'local')
    .option('--repository <name>', 'in front of their names', 'localhost/kre')
    .option('--arch <name>', "amd64 or arm64 (default: this computer's)")
    .option('--base <kind>', 'distroless, or debian: made here from Debian packages', 'distroless')
    .option('--node-base <image>', 'base with Node.js in place of the distroless one, by digest')
    .option('--python-base <image>', 'base with CPython in place of the python image, by digest')
    .option('--no-size', 'without measuring compressed sizes')
    .option('--target <target>', 'minikube: with its Docker, into its registry')
    .action(async (names: string[], options: BuildOptions) => {
      const images = imagesOf(names)
      const built =
        targetOf(options) === 'minikube'
          ? await buildForMinikube(context, images)
          : await buildHere(context, images, options)
      context.output.result(built, describe(built))
    })
}

/** Of the tests of images, which run by podman. @returns the kind of base. @throws UsageError for another one. */
export async function buildForTests(
  context: Context,
  base: string,
  { images = IMAGE_NAMES, size = true }: { images?: readonly ImageName[]; size?: boolean } = {},
): Promise<string> {
  const options = { engine: 'podman', tag: 'test', repository: 'localhost/kre', base, size }
  const built = await buildHere(context, images, options)
  context.output.step(describe(built))
  return base
}

async function buildHere(
  context: Context,
  images: readonly ImageName[],
  options: BuildOptions,
): Promise<BuiltImage[]> {
  const { nodeBase = DISTROLESS.node, pythonBase = DISTROLESS.python } = options
  if (options.base !== 'distroless' && options.base !== 'debian')
    throw new UsageError(`--base is distroless or debian, not "${options.base}"`)
  const path = context.environment['PATH'] ?? ''
  return buildImages(context, {
    images,
    builder: await findBuilder(options.engine ?? null, path),
    platform: platformOf(options.arch),
    repository: checkName('--repository', options.repository, /^[a-z0-9][\w.:/-]{0,254}$/i),
    tag: checkName('--tag', options.tag, /^\w[\w.-]{0,127}$/),
    bases:
      options.base === 'debian'
        ? 'debian'
        : { node: nodeBase, python: pythonBase, pythonSite: null },
    withSizes: options.size,
    environment: {},
  })
}

/** By the Docker in the cluster, and through its registry: only what was pushed has a digest that pods can name. */
export async function buildForMinikube(
  context: Context,
  images: readonly ImageName[],
): Promise<BuiltImage[]> {
  const settings = readClusterSettings(context.environment)
  const environment = parseDockerVariables(await askProgram(context, clusterDocker(settings)))
  if (environment['DOCKER_HOST'] === undefined)
    throw new KreError(
      'failed-precondition',
      `minikube names no Docker of profile "${settings.profile}": it runs another container runtime. "krectl start" makes one with Docker`,
    )
  const built = await buildImages(context, {
    images,
    builder: 'docker',
    platform: platformOf(undefined),
    repository: `${CLUSTER_REGISTRY}/kre`,
    tag: 'local',
    bases: { ...DISTROLESS, pythonSite: null },
    withSizes: false,
    environment,
  })
  const pushed: Partial<Record<ImageName, string>> = { ...(await readPushed(context)) }
  for (const { image, reference } of built) {
    await runProgram(context, { program: 'docker', args: ['push', reference], environment })
    const format = '{{index .RepoDigests 0}}'
    const args = ['image', 'inspect', '--format', format, reference]
    pushed[image] = await askProgram(context, { program: 'docker', args, environment })
  }
  await mkdir(dirname(pushedFile(context)), { recursive: true })
  await writeFile(pushedFile(context), `${JSON.stringify(pushed, null, 2)}\n`)
  return built
}

/** What was built for the cluster, by digest. */
export async function readPushed(context: Context): Promise<PushedImages> {
  const text = await readFile(pushedFile(context), 'utf8').catch(() => '{}')
  return JSON.parse(text) as PushedImages
}

function pushedFile(context: Context): string {
  return join(imagesDir(context), 'minikube.json')
}

function imagesOf(names: readonly string[]): readonly ImageName[] {
  const images = names.flatMap((name) => IMAGE_NAMES.find((image) => image === name) ?? [])
  const wrong = names.filter((name) => IMAGE_NAMES.every((image) => image !== name))
  if (wrong.length > 0)
    throw new UsageError(`there is no image "${wrong[0]}": they are ${IMAGE_NAMES.join(', ')}`)
  return images.length === 0 ? IMAGE_NAMES : [...new Set(images)]
}

function targetOf({ target }: BuildOptions): 'minikube' | null {
  if (target === undefined || target === 'local') return null
  if (target === 'minikube') return 'minikube'
  throw new UsageError(`--target is minikube, not "${target}"`)
}

function platformOf(name: string | undefined): Platform {
  const architecture = name ?? (process.arch === 'arm64' ? 'arm64' : 'amd64')
  const platform = ARCHITECTURES[architecture]
  if (platform === undefined) throw new UsageError(`--arch is amd64 or arm64, not "${name}"`)
  return platform
}

function checkName(option: string, name: string, pattern: RegExp): string {
  if (pattern.test(name)) return name
  throw new UsageError(`${option}: "${name}" can't be part of an image's name`)
}

function describe(built: readonly BuiltImage[]): string {
  const rows = built.map(({ reference, id, compressedBytes }) => [
    reference,
    compressedBytes === null ? '-' : `${(compressedBytes / MiB).toFixed(1)} MiB`,
    id.replace(/^sha256:/, '').slice(0, 12),
  ])
  return table(['IMAGE', 'COMPRESSED', 'ID'], rows, 'no images')
}
