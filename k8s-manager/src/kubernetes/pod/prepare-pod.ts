/** What a pod does before its process starts: it gets the bundle, checks it, and writes the launch file. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  anything,
  EntrypointLaunch,
  KreError,
  listOf,
  NatsAccess,
  NatsRenewal,
  NodeLaunch,
  nullable,
  number,
  object,
  oneOf,
  optional,
  parseJson,
  readStrippedCode,
  recordOf,
  type Shape,
  text,
} from '@kre/contracts/pod'
import {
  CREDENTIALS_KEY,
  LAUNCH_KEY,
  NATS_KEY,
  type POD,
  POD_LAYOUT,
  replicaNumber,
  VALUES_KEY,
} from '../pod-layout.ts'
import { removeTree } from '../../local/prepare-bundle.ts'
import { fetchBundle, type PartSource } from './fetch-bundle.ts'
import { writeCode } from '../../write-code.ts'

export type PodFolders = Readonly<Record<keyof typeof POD, string>>

export type PrepareDeps = {
  folders: PodFolders
  /** Of the pod. */
  uid: string
  /** Name or path of the image's Python. */
  python: string
  /** For pip. */
  env: Readonly<Record<string, string>>
  /** Opens a connection to NATS. */
  connect: (access: NatsAccess) => Promise<PartSource & AsyncDisposable>
  tools: {
    extractBundle(archivePath: string, digest: string, directory: string): Promise<void>
    writePythonModules(descriptorSet: Uint8Array, directory: string): Promise<void>
  }
  signal: AbortSignal
}

type Values = NodeLaunch['config']
const Values = object<Values>({ variables: recordOf(text), files: recordOf(text) })

type Template = {
  layout?: number
  kind: 'node' | 'entrypoint'
  runner?: string
  bundleDigest?: string
  fused?: Record<string, unknown>[]
  config?: Values
}
/** The launch file that is made of it is checked as a whole. */
const Template = object<Template>({
  layout: optional(number),
  kind: oneOf('node', 'entrypoint'),
  runner: optional(text),
  bundleDigest: optional(text),
  fused: optional(listOf(recordOf(anything))),
  config: optional(Values),
})

/** @throws KreError whose message is the pod's reason. */
export async function preparePod(deps: PrepareDeps): Promise<void> {
  const { folders, uid } = deps
  const template = await readJson(join(folders.config, LAUNCH_KEY), Template)
  assertLayout(template)
  const nats = await readAccess(folders)
  const place = { nats, replica: replicaNumber(uid) }
  const launch =
    template.kind === 'entrypoint'
      ? EntrypointLaunch.parse({ ...template, ...place })
      : NodeLaunch.parse({
          ...(await withValues(template, folders)),
          ...place,
          ...(await prepareBundle(deps, template, nats)),
        })
  const path = join(folders.launch, 'launch.json')
  await writeFile(`${path}.draft`, JSON.stringify(launch), { mode: 0o400 })
  await rename(`${path}.draft`, path)
}

/** Before anything else is read: all of it may mean something else there. */
function assertLayout({ layout }: Template): void {
  if (layout === POD_LAYOUT) return
  const other = layout === undefined ? 'of before pods had a layout' : `of pod layout ${layout}`
  throw new KreError(
    'failed-precondition',
    `the image is of another version of KRE than the engine: its programs are of pod layout ${POD_LAYOUT}, and the engine is ${other}. Give the engine the images of its own release (versions.images of the chart; images of the settings, also those byName)`,
  )
}

async function readAccess(folders: PodFolders): Promise<NatsAccess> {
  const access = await readJson(join(folders.access, NATS_KEY), NatsAccess)
  const path = join(folders.access, CREDENTIALS_KEY)
  const renewal = await readJson(path, nullable(NatsRenewal))
  if (renewal === null) return access
  const { tls, ...credentials } = renewal
  return { ...access, credentials, ...(tls === undefined ? {} : { tls }) }
}

/** All nodes of a process have the configuration of their version. */
async function withValues(template: Template, folders: PodFolders): Promise<Template> {
  const path = join(folders.config, VALUES_KEY)
  if (!existsSync(path)) return template
  const config = await readJson(path, Values)
  const { fused } = template
  return {
    ...template,
    config,
    ...(fused === undefined ? {} : { fused: fused.map((member) => ({ ...member, config })) }),
  }
}

type BundlePlaces = Pick<
  NodeLaunch,
  'basePath' | 'descriptorSetPath' | 'strippedPath' | 'workPath' | 'python'
>

async function prepareBundle(
  { folders, tools, python, env, connect, signal }: PrepareDeps,
  { runner, bundleDigest = '' }: Template,
  nats: NatsAccess,
): Promise<BundlePlaces> {
  const archive = join(folders.temporary, 'bundle.krt')
  const files = join(folders.bundle, 'files')
  const modules = join(folders.bundle, 'python')
  const descriptorSetPath = join(folders.bundle, 'descriptors.bin')
  // A container that is started again finds what the one before has left.
  const code = join(folders.bundle, 'code')
  for (const path of [files, modules, code]) removeTree(path)
  await mkdir(modules, { recursive: true })
  await using source = await connect(nats)
  const isTypescript = runner === 'typescript'
  const parts = await fetchBundle(source, bundleDigest, archive, isTypescript, signal)
  const { descriptors } = parts
  await tools.extractBundle(archive, bundleDigest, files)
  await rm(archive)
  await writeFile(descriptorSetPath, descriptors)
  const isStripped = await writeCode(readStrippedCode(parts.code), files, code)
  const isPython = runner === 'python'
  if (isPython) await tools.writePythonModules(descriptors, modules)
  const packages = isPython
    ? await (
        await loadInstaller()
      )({ python, env, signal }, files, join(folders.bundle, 'packages'))
    : null
  const path = [modules, ...(packages === null ? [] : [packages])]
  return {
    basePath: folders.files,
    descriptorSetPath,
    ...(isStripped ? { strippedPath: code } : {}),
    workPath: folders.work,
    python: isPython ? { executable: python, path } : null,
  }
}

async function readJson<T>(path: string, shape: Shape<T>): Promise<T> {
  const parsed = shape.safeParse(parseJson(await readFile(path, 'utf8')))
  if (parsed.success) return parsed.data
  throw new KreError(
    'invalid-argument',
    `${path} is not what it should be: ${parsed.error.message}`,
  )
}

/** Only pods with Python nodes wait for it. */
async function loadInstaller() {
  return (await import('./install-packages.ts')).installPackages
}
