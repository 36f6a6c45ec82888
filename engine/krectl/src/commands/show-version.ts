import type { Command } from 'commander'
import type { AdminClient } from '../api/admin-client.ts'
import { connectEngine } from '../api/connect-engine.ts'
import { followChanges } from '../api/follow-changes.ts'
import { findVersion, listVersions, type Version, type VersionNode } from '../api/versions.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../output/exit-code.ts'
import { missingConfiguration } from '../output/missing-configuration.ts'
import { addPageOptions, readList, type ListOptions } from '../output/page-options.ts'
import { table } from '../output/output.ts'

type VersionChange = {
  name: string
  status: string
  statusReason: string
  entrypointAddress: string
}
type NodeChange = Omit<VersionNode, 'subscriptions'>

const WATCH_VERSIONS = `subscription ($runtimeId: ID) {
  watchVersion(runtimeId: $runtimeId) { id name runtimeId status statusReason entrypointAddress } }`
const WATCH_NODES = `subscription ($versionName: String!, $runtimeId: ID!) {
  watchNodeStatus(versionName: $versionName, runtimeId: $runtimeId) {
    id name status statusReason replicas replicasReady restarts } }`

/** `version list` and `version show`. */
export function showCommands(version: Command, context: Context): void {
  const list = version
    .command('list')
    .description('versions of a runtime, newest first')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('-w, --watch', 'go on with a line for each change')
  addPageOptions(list, 'the version of this name').action(
    async (options: ListOptions & { runtime: string; watch?: boolean }) => {
      if (options.watch === true && (options.limit ?? options.after) !== undefined)
        throw new UsageError('--watch is about all versions: leave out --limit and --after')
      const client = await connectEngine(context)
      const present = () => presentList(client, context, options)
      if (options.watch !== true) return present()
      const stream = { document: WATCH_VERSIONS, variables: { runtimeId: options.runtime } }
      const onEvent = ({ watchVersion: changed }: { watchVersion: VersionChange }) =>
        context.output.line(changed, changeText(changed))
      return followChanges(client, stream, { present, onEvent }, context.signal)
    },
  )

  version
    .command('show <version>')
    .description('one version with its nodes')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('-w, --watch', 'go on with a line for each change of a node')
    .action(async (name: string, options: { runtime: string; watch?: boolean }) => {
      const client = await connectEngine(context)
      const present = async () => {
        const found = await findVersion(client, options.runtime, name)
        show(context, options, found, describe(found))
      }
      if (options.watch !== true) return present()
      const stream = {
        document: WATCH_NODES,
        variables: { versionName: name, runtimeId: options.runtime },
      }
      const onEvent = ({ watchNodeStatus: changed }: { watchNodeStatus: NodeChange }) =>
        context.output.line(changed, nodeText(changed))
      return followChanges(client, stream, { present, onEvent }, context.signal)
    })
}

async function presentList(
  client: AdminClient,
  context: Context,
  options: ListOptions & { runtime: string; watch?: boolean },
): Promise<void> {
  const versions = await readList(
    context,
    options,
    (limit, cursor) => listVersions(client, options.runtime, { limit, cursor }),
    ({ name }) => name,
  )
  const rows = versions.map((v) => [
    v.name,
    v.status,
    v.creationDate,
    v.entrypointAddress || '-',
    v.statusReason,
  ])
  const text = table(
    ['NAME', 'STATUS', 'CREATED', 'ADDRESS', 'REASON'],
    rows,
    'No versions. Upload one: krectl version create -r RUNTIME FILE',
  )
  show(context, options, versions, text)
}

/** With --watch the first document is a line like those that follow it. */
function show(
  { output }: Context,
  { watch }: { watch?: boolean },
  value: unknown,
  text: string,
): void {
  if (watch === true) output.line(value, text)
  else output.result(value, text)
}

function changeText({ name, status, statusReason, entrypointAddress }: VersionChange): string {
  return [name, status, entrypointAddress, statusReason].filter((part) => part !== '').join('  ')
}

function nodeText({ id, status, statusReason, replicas, replicasReady }: NodeChange): string {
  return [id, status, `${replicasReady}/${replicas}`, statusReason]
    .filter((part) => part !== '')
    .join('  ')
}

function describe(version: Version): string {
  const rows = version.workflows.flatMap((workflow) =>
    workflow.nodes.map((node) => [
      workflow.id,
      node.name + (workflow.exitpoint === node.name ? ' (exitpoint)' : ''),
      node.status,
      `${node.replicasReady}/${node.replicas}`,
      String(node.restarts),
      node.subscriptions.join(', '),
      node.statusReason,
    ]),
  )
  return [
    `${version.name}  ${version.status}${version.statusReason === '' ? '' : `: ${version.statusReason}`}`,
    version.description,
    `address  ${version.entrypointAddress || 'none while it does not run'}`,
    `sha256   ${version.digest}`,
    ...missingConfiguration(version),
    '',
    table(
      ['WORKFLOW', 'NODE', 'STATUS', 'READY', 'RESTARTS', 'LISTENS TO', 'REASON'],
      rows,
      'no nodes',
    ),
  ].join('\n')
}
