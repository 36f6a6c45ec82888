/** What several commands do with versions. */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KreError, type KrtIssue, type VersionStatus } from '@kre/contracts'
import { fetchModels } from '../bundle/fetch-models.ts'
import type { Context } from '../context.ts'
import { BundleRefused, type AdminClient } from './admin-client.ts'
import { connectEngine } from './connect-engine.ts'
import { uploadBundle } from './upload-bundle.ts'

/** Longer than any sensible start; a Python environment may be built on the way. */
export const WAIT_DEFAULT = '10m'
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

export async function listVersions(
  client: AdminClient,
  runtimeId: string,
  page: { limit?: number; cursor?: string | null } = {},
): Promise<Version[]> {
  const { versions } = await client.graphql<{ versions: Version[] }>(
    `query ($runtimeId: ID!, $limit: Int, $cursor: ID) {
      versions(runtimeId: $runtimeId, limit: $limit, cursor: $cursor) { ${VERSION_FIELDS} } }`,
    { runtimeId, ...page },
  )
  return versions
}

/** Packs a directory first, with its models; a file goes as it is, and the server checks it. */
export async function uploadVersion(
  client: AdminClient,
  runtimeId: string,
  path: string,
  context: Context & { comment?: string },
): Promise<{ version: Version; issues: KrtIssue[] }> {
  const kind = await stat(path).catch(() => null)
  if (kind === null) throw new KreError('not-found', `${path}: there is no such file or folder`)
  if (!kind.isDirectory()) return upload(client, runtimeId, path, context)
  // What is packed for minutes would be refused then.
  await client.graphql('query ($id: ID!) { runtime(id: $id) { id } }', { id: runtimeId })
  await fetchModels(path, context)
  const scratch = await mkdtemp(join(tmpdir(), 'krectl-'))
  try {
    const file = join(scratch, 'bundle.krt')
    const { buildBundle } = await import('@kre/bundle')
    const built = await buildBundle({ directory: path, out: file })
    if (!built.ok) throw new BundleRefused(`${path} is not a valid bundle`, built.issues)
    return await upload(client, runtimeId, file, context)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function upload(
  client: AdminClient,
  runtimeId: string,
  file: string,
  context: Context & { comment?: string },
): Promise<{ version: Version; issues: KrtIssue[] }> {
  const {
    client: last,
    name,
    issues,
  } = await uploadBundle(client, runtimeId, file, {
    ...context,
    reconnect: () => connectEngine(context),
  })
  return { version: await findVersion(last, runtimeId, name), issues }
}

const MUTATIONS = {
  start: ['startVersion', 'StartVersionInput'],
  stop: ['stopVersion', 'StopVersionInput'],
  publish: ['publishVersion', 'PublishVersionInput'],
  restart: ['restartVersion', 'RestartVersionInput'],
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
  condition: Readonly<Record<string, string>> = {},
): Promise<void> {
  const [mutation, input] = MUTATIONS[operation]
  await client.graphql(`mutation ($input: ${input}!) { ${mutation}(input: $input) { id } }`, {
    input: { runtimeId, versionName, comment, ...condition },
  })
}

export type ConfigurationValue = { readonly key: string; readonly value: string }

/** Sets values; an empty one unsets its key. @param generation the one that it must still have; null = any. */
export async function setConfiguration(
  client: AdminClient,
  change: {
    runtime: string
    versionName: string
    values: readonly ConfigurationValue[]
    generation: number | null
  },
): Promise<void> {
  const { runtime: runtimeId, versionName, values: configurationVariables, generation } = change
  const condition = generation === null ? {} : { ifGeneration: generation }
  await client.graphql(
    `mutation ($input: UpdateConfigurationInput!) { updateVersionUserConfiguration(input: $input) { id } }`,
    { input: { runtimeId, versionName, configurationVariables, ...condition } },
  )
}

/** After a restart the engine tells the failure of before until it has looked again. */
const STALE_ERROR_MS = 5_000

/**
 * Waits until a version has one of the statuses; reports each change on the way.
 *
 * @param options.wasInError whether an ERROR may be one of before, and is waited out for a while.
 * @throws KreError with the reason on ERROR.
 */
export async function waitForStatus(
  client: AdminClient,
  runtimeId: string,
  name: string,
  wanted: readonly VersionStatus[],
  options: {
    onChange: (text: string) => void
    timeoutMs: number
    signal: AbortSignal
    wasInError?: boolean
  },
): Promise<Version> {
  const begin = performance.now()
  const end = begin + options.timeoutMs
  const believedFrom = begin + (options.wasInError === true ? STALE_ERROR_MS : 0)
  let last = ''
  for (;;) {
    const version = await findVersion(client, runtimeId, name)
    const text = describe(version)
    if (text !== last) options.onChange((last = text))
    if (wanted.includes(version.status)) return version
    if (version.status === 'ERROR' && performance.now() >= believedFrom)
      throw new KreError(
        'failed-precondition',
        `version "${name}" is in ERROR: ${version.statusReason.replace(/\.$/, '')}. See "krectl version logs -r ${runtimeId} ${name}"`,
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
