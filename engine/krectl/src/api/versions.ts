/** What several commands do with versions. */
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildBundle } from '@kre/bundle'
import { KreError, MiB, type KrtIssue, type VersionStatus } from '@kre/contracts'
import { fetchModels } from '../bundle/fetch-models.ts'
import type { Context } from '../context.ts'
import type { Output } from '../output/output.ts'
import { BundleRefused, type AdminClient } from './admin-client.ts'

/** Smaller uploads are over before anybody looks. */
const GAUGE_BYTES_MIN = 4 * MiB
/** How often a status is asked for while a command waits for it. */
const POLL_MS = 100

export type VersionNode = {
  id: string
  name: string
  status: string
  statusReason: string
  replicas: number
  replicasReady: number
  restarts: number
  subscriptions: string[]
}
export type Version = {
  id: string
  name: string
  runtimeId: string
  description: string
  status: VersionStatus
  statusReason: string
  creationDate: string
  publicationDate: string | null
  digest: string
  entrypointAddress: string
  issues: KrtIssue[]
  workflows: {
    id: string
    name: string
    entrypoint: string
    exitpoint: string
    nodes: VersionNode[]
  }[]
  config: {
    completed: boolean
    generation: number
    vars: {
      key: string
      type: string
      isSet: boolean
      updatedAt: string | null
      fingerprint: string | null
    }[]
  }
}

export const VERSION_FIELDS = `
  id name runtimeId description status statusReason creationDate publicationDate digest entrypointAddress
  issues { code level message file line column path hint }
  workflows { id name entrypoint exitpoint nodes { id name status statusReason replicas replicasReady restarts subscriptions } }
  config { completed generation vars { key type isSet updatedAt fingerprint } }`

export async function findVersion(
  client: AdminClient,
  runtimeId: string,
  name: string,
): Promise<Version> {
  const { version } = await client.graphql<{ version: Version }>(
    `query ($name: String!, $runtimeId: ID!) { version(name: $name, runtimeId: $runtimeId) { ${VERSION_FIELDS} } }`,
    { name, runtimeId },
  )
  return version
}

export async function listVersions(client: AdminClient, runtimeId: string): Promise<Version[]> {
  const { versions } = await client.graphql<{ versions: Version[] }>(
    `query ($runtimeId: ID!) { versions(runtimeId: $runtimeId) { ${VERSION_FIELDS} } }`,
    { runtimeId },
  )
  return versions
}

/** Packs a directory first, with its models; a file goes as it is, and the server checks it. */
export async function uploadVersion(
  client: AdminClient,
  runtimeId: string,
  path: string,
  context: Context,
): Promise<{ version: Version; issues: KrtIssue[] }> {
  const kind = await stat(path).catch(() => null)
  if (kind === null) throw new KreError('not-found', `${path}: there is no such file or folder`)
  if (!kind.isDirectory()) return put(client, runtimeId, path, context)
  await fetchModels(path, context)
  const scratch = await mkdtemp(join(tmpdir(), 'krectl-'))
  try {
    const file = join(scratch, 'bundle.krt')
    const built = await buildBundle({ directory: path, out: file })
    if (!built.ok) throw new BundleRefused(`${path} is not a valid bundle`, built.issues)
    return await put(client, runtimeId, file, context)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function put(
  client: AdminClient,
  runtimeId: string,
  file: string,
  { signal, output }: Context,
): Promise<{ version: Version; issues: KrtIssue[] }> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new KreError('invalid-argument', `${file} can't be read: ${why}`, {}, { cause: error })
  })
  try {
    const stats = await handle.stat()
    if (!stats.isFile())
      throw new KreError('invalid-argument', `${file} is neither a file nor a folder`)
    const counted = Readable.from(
      counting(handle.createReadStream({ autoClose: false }), stats.size, output),
    )
    const { version, issues } = await client.rest<{
      version: Pick<Version, 'name'>
      issues: KrtIssue[]
    }>('PUT', `/api/v1/runtimes/${encodeURIComponent(runtimeId)}/versions`, {
      body: Readable.toWeb(counted) as ReadableStream<Uint8Array>,
      bytes: stats.size,
      signal,
    })
    return { version: await findVersion(client, runtimeId, version.name), issues }
  } finally {
    await handle.close()
  }
}

async function* counting(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
  output: Output,
): AsyncIterable<Uint8Array> {
  let sent = 0
  for await (const chunk of chunks) {
    yield chunk
    sent += chunk.length
    if (bytes > GAUGE_BYTES_MIN)
      output.gauge(
        `  ${(sent / MiB).toFixed(0)} of ${(bytes / MiB).toFixed(0)} MiB ${sent < bytes ? 'sent' : 'sent, now being checked'}`,
      )
  }
}

const MUTATIONS = {
  start: ['startVersion', 'StartVersionInput'],
  stop: ['stopVersion', 'StopVersionInput'],
  publish: ['publishVersion', 'PublishVersionInput'],
  unpublish: ['unpublishVersion', 'UnpublishVersionInput'],
  delete: ['deleteVersion', 'DeleteVersionInput'],
} as const
export type Operation = keyof typeof MUTATIONS

export async function operate(
  client: AdminClient,
  operation: Operation,
  runtimeId: string,
  versionName: string,
  comment: string,
): Promise<void> {
  const [mutation, input] = MUTATIONS[operation]
  await client.graphql(`mutation ($input: ${input}!) { ${mutation}(input: $input) { id } }`, {
    input: { runtimeId, versionName, comment },
  })
}

/** Waits until a version has one of the statuses; reports each change on the way. @throws KreError with the reason on ERROR. */
export async function waitForStatus(
  client: AdminClient,
  runtimeId: string,
  name: string,
  wanted: readonly VersionStatus[],
  options: { onChange: (text: string) => void; timeoutMs: number; signal: AbortSignal },
): Promise<Version> {
  const end = performance.now() + options.timeoutMs
  let last = ''
  for (;;) {
    const version = await findVersion(client, runtimeId, name)
    const text = describe(version)
    if (text !== last) options.onChange((last = text))
    if (wanted.includes(version.status)) return version
    if (version.status === 'ERROR')
      throw new KreError(
        'failed-precondition',
        `version "${name}" is in ERROR: ${version.statusReason}. See "krectl version logs -r ${runtimeId} ${name}"`,
      )
    if (performance.now() > end)
      throw new KreError(
        'deadline-exceeded',
        `version "${name}" is still ${version.status} after ${options.timeoutMs / 1000} s: ${version.statusReason || 'no reason is known'}`,
      )
    await sleep(POLL_MS, undefined, { signal: options.signal })
  }
}

function describe(version: Version): string {
  const nodes = version.workflows.flatMap((workflow) => workflow.nodes)
  const ready = nodes.filter((node) => node.status === 'STARTED').length
  const reason = version.statusReason === '' ? '' : `: ${version.statusReason}`
  return `${version.status} (${ready}/${nodes.length} nodes ready)${reason}`
}
