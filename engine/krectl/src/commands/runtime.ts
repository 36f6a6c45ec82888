import type { Command } from 'commander'
import type { AdminClient } from '../api/admin-client.ts'
import { connectEngine } from '../api/connect-engine.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../output/exit-code.ts'
import { addPageOptions, readList, type ListOptions } from '../output/page-options.ts'
import { table } from '../output/output.ts'
import { deleteRuntime, type DeleteOptions } from './delete-after-asking.ts'
import { logLimitsCommand } from './log-limits.ts'

type Runtime = {
  id: string
  name: string
  description: string
  creationDate: string
  entrypointAddress: string
  publishedVersion: { name: string } | null
}
const FIELDS = 'id name description creationDate entrypointAddress publishedVersion { name }'

export function runtimeCommands(program: Command, context: Context): void {
  const runtime = program
    .command('runtime')
    .description('create, list, show, change and delete runtimes')
  createCommand(runtime, context)
  listCommand(runtime, context)
  showCommand(runtime, context)
  updateCommand(runtime, context)
  logLimitsCommand(runtime, context)
  deleteCommand(runtime, context)
}

function createCommand(runtime: Command, context: Context): void {
  runtime
    .command('create <id>')
    .description('make a runtime: a place for versions, with one published address')
    .option('--name <name>', 'name shown to people (default: the id)')
    .option('--description <text>', 'what it is for')
    .action(async (id: string, options: { name?: string; description?: string }) => {
      const client = await connectEngine(context)
      const name = options.name ?? id
      const { createRuntime } = await client.graphql<{ createRuntime: Runtime }>(
        `mutation ($input: CreateRuntimeInput!) { createRuntime(input: $input) { ${FIELDS} } }`,
        { input: { id, name, description: options.description ?? `Runtime ${name}` } },
      )
      context.output.result(createRuntime, `Runtime "${id}" is there.`)
    })
}

function listCommand(runtime: Command, context: Context): void {
  const list = runtime.command('list').description('all runtimes, oldest first')
  addPageOptions(list, 'the runtime of this id').action(async (options: ListOptions) => {
    const client = await connectEngine(context)
    const runtimes = await readList(
      context,
      options,
      (limit, cursor) => readPage(client, limit, cursor),
      ({ id }) => id,
    )
    const rows = runtimes.map((r) => [
      r.id,
      r.name,
      r.publishedVersion?.name ?? '-',
      r.entrypointAddress || '-',
    ])
    context.output.result(
      runtimes,
      table(
        ['ID', 'NAME', 'PUBLISHED', 'ADDRESS'],
        rows,
        'No runtimes. Make one: krectl runtime create ID',
      ),
    )
  })
}

async function readPage(
  client: AdminClient,
  limit: number,
  cursor: string | null,
): Promise<Runtime[]> {
  const { runtimes } = await client.graphql<{ runtimes: Runtime[] }>(
    `query ($limit: Int, $cursor: ID) { runtimes(limit: $limit, cursor: $cursor) { ${FIELDS} } }`,
    { limit, cursor },
  )
  return runtimes
}

function showCommand(runtime: Command, context: Context): void {
  runtime
    .command('show <id>')
    .description('one runtime')
    .action(async (id: string) => {
      const client = await connectEngine(context)
      const { runtime: found } = await client.graphql<{ runtime: Runtime }>(
        `query ($id: ID!) { runtime(id: $id) { ${FIELDS} } }`,
        { id },
      )
      const text = [
        `${found.id}  ${found.name}`,
        found.description,
        `published version  ${found.publishedVersion?.name ?? 'none'}`,
        `address            ${found.entrypointAddress || 'none while nothing runs'}`,
      ].join('\n')
      context.output.result(found, text)
    })
}

function updateCommand(runtime: Command, context: Context): void {
  runtime
    .command('update <id>')
    .description('change the texts of a runtime; what is not named stays')
    .option('--name <name>', 'name shown to people')
    .option('--description <text>', 'what it is for')
    .action(async (id: string, options: { name?: string; description?: string }) => {
      const { name = null, description = null } = options
      if (name === null && description === null)
        throw new UsageError('name what changes: --name or --description')
      const client = await connectEngine(context)
      const { updateRuntime } = await client.graphql<{ updateRuntime: Runtime }>(
        `mutation ($input: UpdateRuntimeInput!) { updateRuntime(input: $input) { ${FIELDS} } }`,
        { input: { id, name, description } },
      )
      context.output.result(updateRuntime, `Runtime "${id}" is changed.`)
    })
}

function deleteCommand(runtime: Command, context: Context): void {
  runtime
    .command('delete <id>')
    .description('delete a runtime with its stopped versions and all its data')
    .option('--comment <text>', 'why', 'deleted by krectl')
    .option('--yes', 'without being asked on a terminal')
    .action((id: string, options: DeleteOptions) => deleteRuntime(context, id, options))
}
