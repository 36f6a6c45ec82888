import { resolve } from 'node:path'
import type { Command } from 'commander'
import { formatIssue, type VersionStatus } from '@kre/contracts'
import { connectEngine } from '../api/connect-engine.ts'
import {
  operate,
  uploadVersion,
  WAIT_DEFAULT,
  waitForStatus,
  type Operation,
} from '../api/versions.ts'
import type { Context } from '../context.ts'
import { missingConfiguration } from '../output/missing-configuration.ts'
import { parseDuration } from '../output/parse-duration.ts'
import { deleteVersion, type DeleteOptions } from './delete-after-asking.ts'
import { diffCommand } from './diff.ts'
import { documentsCommand } from './documents.ts'
import { downloadCommand } from './download.ts'
import { logsCommand } from './logs.ts'
import { measurementsCommand } from './measurements.ts'
import { metricsCommand } from './metrics.ts'
import { requestsCommand } from './requests.ts'
import { rollbackCommand } from './rollback.ts'
import { sampleCommand } from './sample.ts'
import { showCommands } from './show-version.ts'
import { topCommand } from './top.ts'
import { trafficCommand } from './traffic.ts'

const OUTCOME: Record<Exclude<Operation, 'delete'>, { text: string; statuses: VersionStatus[] }> = {
  start: {
    text: 'starts a version: its entrypoint and nodes come up',
    statuses: ['STARTED', 'PUBLISHED'],
  },
  restart: {
    text: 'starts the processes of a version in ERROR anew',
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
  createCommand(version, context)
  showCommands(version, context)
  lifeCycleCommands(version, context)
  rollbackCommand(version, context)
  diffCommand(version, context)
  deleteCommand(version, context)
  downloadCommand(version, context)
  documentsCommand(version, context)
  logsCommand(version, context)
  metricsCommand(version, context)
  measurementsCommand(version, context)
  trafficCommand(version, context)
  requestsCommand(version, context)
  sampleCommand(version, context)
  topCommand(version, context)
}

function createCommand(version: Command, context: Context): void {
  version
    .command('create <path>')
    .description(
      'upload a bundle: a .krt file, or a folder that is packed first; goes on after a cut',
    )
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--comment <text>', 'why, for the history')
    .action(async (path: string, options: { runtime: string; comment?: string }) => {
      const client = await connectEngine(context)
      const created = await uploadVersion(client, options.runtime, resolve(context.cwd, path), {
        ...context,
        comment: options.comment ?? '',
      })
      for (const issue of created.issues) context.output.step(formatIssue(issue))
      context.output.result(
        created,
        [
          `Version "${created.version.name}" is uploaded (sha256 ${created.version.digest.slice(0, 12)}…).`,
          ...missingConfiguration(created.version),
        ].join('\n'),
      )
    })
}

function lifeCycleCommands(version: Command, context: Context): void {
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
          const timeoutMs = parseDuration(options.timeout)
          const client = await connectEngine(context)
          await operate(client, operation, options.runtime, name, options.comment)
          if (!options.wait)
            return context.output.result(
              { version: name, operation },
              `Taken over: ${operation} "${name}".`,
            )
          const done = await waitForStatus(client, options.runtime, name, statuses, {
            onChange: (change) => context.output.step(`  ${change}`),
            timeoutMs,
            signal: context.signal,
            wasInError: operation === 'restart',
          })
          context.output.result(done, `Version "${name}" is ${done.status}.`)
        },
      )
  }
}

function deleteCommand(version: Command, context: Context): void {
  version
    .command('delete <version>')
    .description('delete a stopped version with its stores; its predictions and documents stay')
    .requiredOption('-r, --runtime <id>', 'runtime')
    .option('--comment <text>', 'why, for the history', 'deleted by krectl')
    .option('--yes', 'without being asked on a terminal')
    .action((name: string, options: DeleteOptions & { runtime: string }) =>
      deleteVersion(context, options.runtime, name, options),
    )
}
