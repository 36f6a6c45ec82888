import type { Command } from 'commander'
import { formatIssue, type VersionStatus } from '@kre/contracts'
import { resolve } from 'node:path'
import { connectAdmin } from '../api/admin-client.ts'
import {
  findVersion,
  listVersions,
  operate,
  uploadVersion,
  waitForStatus,
  type Operation,
  type Version,
} from '../api/versions.ts'
import type { Context } from '../context.ts'
import { parseDuration } from '../output/parse-duration.ts'
import { table } from '../output/output.ts'
import { logsCommand } from './logs.ts'
import { metricsCommand } from './metrics.ts'
import { requestsCommand } from './requests.ts'
import { topCommand } from './top.ts'

/** Longer than any sensible start; a Python environment may be built on the way. */
const WAIT_DEFAULT = '10m'

const OUTCOME: Record<Exclude<Operation, 'delete'>, { text: string; statuses: VersionStatus[] }> = {
  start: {
    text: 'starts a version: its entrypoint and nodes come up',
    statuses: ['STARTED', 'PUBLISHED'],
  },
  stop: { text: 'stops a version: its processes drain and end', statuses: ['STOPPED'] },
  publish: { text: "makes a version answer on the runtime's address", statuses: ['PUBLISHED'] },
  unpublish: { text: "takes a version off the runtime's address", statuses: ['STARTED'] },
}

export function versionCommands(program: Command, context: Context): void {
  const version = program
    .command('version')
    .description('upload, run and look after versions of a runtime')

  version
    .command('create <path>')
    .description(
      'upload a bundle: a .krt file, or a folder that is packed first; goes on after a cut',
    )
    .requiredOption('-r, --runtime <id>', 'runtime')
    .action(async (path: string, options: { runtime: string }) => {
      const client = await connectAdmin(context.dataDir)
      const created = await uploadVersion(
        client,
        options.runtime,
        resolve(context.cwd, path),
        context,
      )
      for (const issue of created.issues) context.output.step(formatIssue(issue))
      context.output.result(
        created,
        [
          `Version "${created.version.name}" is uploaded (sha256 ${created.version.digest.slice(0, 12)}…).`,
          ...missingConfiguration(created.version),
        ].join('\n'),
      )
    })

  version
    .command('list')
    .description('versions of a runtime, newest first')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .action(async (options: { runtime: string }) => {
      const versions = await listVersions(await connectAdmin(context.dataDir), options.runtime)
      const rows = versions.map((v) => [
        v.name,
        v.status,
        v.creationDate,
        v.entrypointAddress || '-',
        v.statusReason,
      ])
      context.output.result(
        versions,
        table(
          ['NAME', 'STATUS', 'CREATED', 'ADDRESS', 'REASON'],
          rows,
          'No versions. Upload one: krectl version create -r RUNTIME FILE',
        ),
      )
    })

  version
    .command('show <version>')
    .description('one version with its nodes')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .action(async (name: string, options: { runtime: string }) => {
      const found = await findVersion(await connectAdmin(context.dataDir), options.runtime, name)
      context.output.result(found, describe(found))
    })

  for (const [operation, { text, statuses }] of Object.entries(OUTCOME) as [
    Exclude<Operation, 'delete'>,
    (typeof OUTCOME)['start'],
  ][]) {
    version
      .command(`${operation} <version>`)
      .description(text)
      .requiredOption('-r, --runtime <id>', 'runtime')
      .option('--comment <text>', 'why, for the history', `${operation} by krectl`)
      .option('--no-wait', 'return as soon as the engine took it over')
      .option('--timeout <duration>', 'longest wait', WAIT_DEFAULT)
      .action(
        async (
          name: string,
          options: { runtime: string; comment: string; wait: boolean; timeout: string },
        ) => {
          const client = await connectAdmin(context.dataDir)
          await operate(client, operation, options.runtime, name, options.comment)
          if (!options.wait)
            return context.output.result(
              { version: name, operation },
              `Taken over: ${operation} "${name}".`,
            )
          const done = await waitForStatus(client, options.runtime, name, statuses, {
            onChange: (change) => context.output.step(`  ${change}`),
            timeoutMs: parseDuration(options.timeout),
            signal: context.signal,
          })
          context.output.result(done, `Version "${name}" is ${done.status}.`)
        },
      )
  }

  version
    .command('delete <version>')
    .description('delete a stopped version with its stores; its predictions and documents stay')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--comment <text>', 'why, for the history', 'deleted by krectl')
    .action(async (name: string, options: { runtime: string; comment: string }) => {
      await operate(
        await connectAdmin(context.dataDir),
        'delete',
        options.runtime,
        name,
        options.comment,
      )
      context.output.result({ version: name, deleted: true }, `Version "${name}" is deleted.`)
    })

  logsCommand(version, context)
  metricsCommand(version, context)
  requestsCommand(version, context)
  topCommand(version, context)
}

function missingConfiguration({ config, runtimeId, name }: Version): string[] {
  const missing = config.vars.filter((entry) => !entry.isSet).map((entry) => entry.key)
  if (missing.length === 0) return []
  return [
    `needs values for ${missing.join(', ')}: krectl config set -r ${runtimeId} ${name} KEY=VALUE`,
  ]
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
