/** The calls of a builder, as data. */
import type { Call } from '../programs/run-program.ts'
import type { ImageName } from './image-list.ts'
import type { Platform } from './lock-tree.ts'

export const BUILDERS = ['podman', 'buildah', 'docker'] as const
export type Builder = (typeof BUILDERS)[number]

/** Seconds since 1970: files of an image have the time of its commit, so that the same commit gives the same image. */
export type Epoch = number

export type ImageBases = {
  node: string
  python: string
  /** Folder where the CPython of the base looks for packages; null = as the Containerfile says. */
  pythonSite: string | null
}

export type ImageBuild = {
  builder: Builder
  image: ImageName
  /** Name and tag of the result. */
  reference: string
  platform: Platform
  /** Folder that {@link file:./write-context.ts} has filled. */
  context: string
  containerfile: string
  bases: ImageBases
  labels: Readonly<Record<string, string>>
  epoch: Epoch
  /** Of a builder elsewhere, as that of minikube. */
  environment?: Readonly<Record<string, string>>
}

export function imageCall(build: ImageBuild): Call {
  const { builder, image, bases } = build
  const args = [
    ...commonArgs(build),
    '--target',
    image,
    '--build-arg',
    `NODE_BASE=${bases.node}`,
    '--build-arg',
    `PYTHON_BASE=${bases.python}`,
    ...(bases.pythonSite === null ? [] : ['--build-arg', `PYTHON_SITE=${bases.pythonSite}`]),
    build.context,
  ]
  return { program: builder, args, environment: builderEnvironment(build) }
}

/** A base from a folder with its root file system. */
export function baseCall(build: Omit<ImageBuild, 'image' | 'bases'>): Call {
  return {
    program: build.builder,
    args: [...commonArgs(build), build.context],
    environment: builderEnvironment(build),
  }
}

function commonArgs({
  builder,
  reference,
  platform,
  containerfile,
  labels,
  epoch,
}: Omit<ImageBuild, 'image' | 'bases'>): string[] {
  return [
    'build',
    '--file',
    containerfile,
    '--tag',
    reference,
    '--platform',
    `${platform.os}/${architectureOf(platform)}`,
    ...(builder === 'docker'
      ? ['--build-arg', `SOURCE_DATE_EPOCH=${epoch}`]
      : ['--timestamp', String(epoch)]),
    ...Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
  ]
}

function builderEnvironment({
  builder,
  environment = {},
}: Pick<ImageBuild, 'builder' | 'environment'>): Record<string, string> {
  // The old builder of Docker builds every target of a file, whichever is asked for.
  return { ...(builder === 'docker' ? { DOCKER_BUILDKIT: '1' } : {}), ...environment }
}

/** As images name it. */
export function architectureOf({ cpu }: Platform): 'amd64' | 'arm64' {
  return cpu === 'x64' ? 'amd64' : 'arm64'
}

/** A call whose output, or file where `file` is named, is an archive of the image with layers that are not compressed. */
export function saveCall(builder: Builder, reference: string, file: string): Call {
  switch (builder) {
    case 'podman':
      return { program: 'podman', args: ['save', '--quiet', '--output', file, reference] }
    case 'buildah':
      return { program: 'buildah', args: ['push', '--quiet', reference, `docker-archive:${file}`] }
    case 'docker':
      return { program: 'docker', args: ['save', '--output', file, reference] }
  }
}

/** A call that prints the digest of the image's configuration, which names its content. */
export function idCall(builder: Builder, reference: string): Call {
  const args =
    builder === 'buildah'
      ? ['inspect', '--type', 'image', '--format', '{{.FromImageID}}', reference]
      : ['image', 'inspect', '--format', '{{.Id}}', reference]
  return { program: builder, args }
}

export type LabelInput = {
  title: string
  description: string
  version: string
  /** Commit; null = not built from a checkout. */
  revision: string | null
  epoch: Epoch
  base: string
}

/** Labels by the rules of OCI. */
export function imageLabels(input: LabelInput): Record<string, string> {
  const { title, description, version, revision, epoch, base } = input
  return {
    'org.opencontainers.image.title': title,
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.version': version,
    ...(revision === null ? {} : { 'org.opencontainers.image.revision': revision }),
    'org.opencontainers.image.created': new Date(epoch * 1000).toISOString(),
    'org.opencontainers.image.source': 'https://github.com/konstellation-io/kre',
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.base.name': base,
  }
}
