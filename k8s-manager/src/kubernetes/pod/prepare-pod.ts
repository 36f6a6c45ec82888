/** What a pod does before its process starts: it gets the bundle, checks it, and writes the launch file. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EntrypointLaunch, GiB, KreError, NatsAccess, NodeLaunch } from '@kre/contracts'
import { z } from 'zod'
import { BUNDLE_KEY, CONFIG_KEY, NATS_KEY, type POD, replicaNumber } from '../pod-layout.ts'

export type PodFolders = Readonly<Record<keyof typeof POD, string>>

export type PrepareDeps = {
  folders: PodFolders
  /** Of the pod. */
  uid: string
  tools: {
    extractBundle(archivePath: string, digest: string, directory: string): Promise<void>
    writePythonModules(descriptorSet: Uint8Array, directory: string): Promise<void>
  }
  signal: AbortSignal
}

const BundleSource = z.object({
  archiveUrl: z.url(),
  descriptorsUrl: z.url(),
  token: z.string(),
  digest: z.string().regex(/^(?:sha256:)?[0-9a-f]{64}$/),
})
type BundleSource = z.infer<typeof BundleSource>

/** The canonical form of what may be uploaded. */
const ARCHIVE_BYTES_MAX = 2 * GiB
const DESCRIPTORS_BYTES_MAX = 64 * 1024 * 1024

/** @throws KreError whose message is the pod's reason. */
export async function preparePod(deps: PrepareDeps): Promise<void> {
  const { folders, uid } = deps
  const template = await readJson(
    join(folders.config, CONFIG_KEY),
    z.looseObject({ kind: z.enum(['node', 'entrypoint']) }),
  )
  const nats = await readJson(join(folders.access, NATS_KEY), NatsAccess)
  const place = { nats, replica: replicaNumber(uid) }
  const launch =
    template.kind === 'entrypoint'
      ? EntrypointLaunch.parse({ ...template, ...place })
      : NodeLaunch.parse({
          ...template,
          ...place,
          ...(await prepareBundle(deps, template['runner'] === 'python')),
        })
  const path = join(folders.launch, 'launch.json')
  await writeFile(`${path}.draft`, JSON.stringify(launch), { mode: 0o400 })
  await rename(`${path}.draft`, path)
}

type BundlePlaces = Pick<NodeLaunch, 'basePath' | 'descriptorSetPath' | 'workPath' | 'python'>

async function prepareBundle(
  { folders, tools, signal }: PrepareDeps,
  isPython: boolean,
): Promise<BundlePlaces> {
  const source = await readJson(join(folders.access, BUNDLE_KEY), BundleSource)
  const archive = join(folders.temporary, 'bundle.krt')
  const files = join(folders.bundle, 'files')
  const modules = join(folders.bundle, 'python')
  const descriptorSetPath = join(folders.bundle, 'descriptors.bin')
  // A container that is started again finds what the one before has left.
  for (const path of [files, modules]) await rm(path, { recursive: true, force: true })
  await mkdir(modules, { recursive: true })
  const [descriptors] = await Promise.all([
    fetchDescriptors(source, signal),
    fetchArchive(source, archive, signal),
  ])
  await tools.extractBundle(archive, source.digest, files)
  await rm(archive)
  await writeFile(descriptorSetPath, descriptors)
  await tools.writePythonModules(descriptors, modules)
  return {
    basePath: folders.files,
    descriptorSetPath,
    workPath: folders.work,
    python: isPython ? { executable: 'python3', path: [modules] } : null,
  }
}

/** @throws KreError `failed-precondition` when it is not the archive of the digest. */
async function fetchArchive(
  source: BundleSource,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const body = await open(source.archiveUrl, source.token, signal)
  const hash = createHash('sha256')
  let bytes = 0
  const measure = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      bytes += chunk.length
      if (bytes > ARCHIVE_BYTES_MAX)
        throw new KreError(
          'resource-exhausted',
          `the bundle has more than ${ARCHIVE_BYTES_MAX} bytes`,
        )
      hash.update(chunk)
      yield chunk
    }
  }
  await pipeline(body, measure, createWriteStream(path, { mode: 0o600 }), { signal })
  const digest = hash.digest('hex')
  if (digest !== source.digest.replace(/^sha256:/, ''))
    throw new KreError(
      'failed-precondition',
      `DIGEST_MISMATCH: ${source.archiveUrl} gave a bundle with digest ${digest}, and ${source.digest} was asked for`,
    )
}

async function fetchDescriptors(source: BundleSource, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of await open(source.descriptorsUrl, source.token, signal)) {
    bytes += (chunk as Uint8Array).length
    if (bytes > DESCRIPTORS_BYTES_MAX)
      throw new KreError(
        'resource-exhausted',
        `the descriptors have more than ${DESCRIPTORS_BYTES_MAX} bytes`,
      )
    chunks.push(chunk as Uint8Array)
  }
  return Buffer.concat(chunks)
}

/** @throws KreError `unavailable`; the container is started again by the cluster, later and later. */
async function open(url: string, token: string, signal: AbortSignal): Promise<Readable> {
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` }
  // A redirect could take the token elsewhere.
  const response = await fetch(url, { headers, signal, redirect: 'error' }).catch(
    (error: unknown) => {
      throw new KreError(
        'unavailable',
        `${url} can't be reached: ${reasonOf(error)}`,
        {},
        { cause: error },
      )
    },
  )
  if (!response.ok || response.body === null)
    throw new KreError('unavailable', `${url} answers ${response.status} ${response.statusText}`)
  return Readable.from(response.body)
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const content = await readFile(path, 'utf8')
  const parsed = schema.safeParse(JSON.parse(content))
  if (parsed.success) return parsed.data
  throw new KreError(
    'invalid-argument',
    `${path} is not what it should be: ${z.prettifyError(parsed.error)}`,
  )
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
