import type { Command } from 'commander'
import { connectAdmin } from '../api/admin-client.ts'
import type { Context } from '../context.ts'
import { table } from '../output/output.ts'

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
  const runtime = program.command('runtime').description('create, list, show and delete runtimes')

  runtime
    .command('create <id>')
    .description('make a runtime: a place for versions, with one published address')
    .option('--name <name>', 'name shown to people (default: the id)')
    .option('--description <text>', 'what it is for')
    .action(async (id: string, options: { name?: string; description?: string }) => {
      const client = await connectAdmin(context.dataDir)
      const name = options.name ?? id
      const { createRuntime } = await client.graphql<{ createRuntime: Runtime }>(
        `mutation ($input: CreateRuntimeInput!) { createRuntime(input: $input) { ${FIELDS} } }`,
        { input: { id, name, description: options.description ?? `Runtime ${name}` } },
      )
      context.output.result(createRuntime, `Runtime "${id}" is there.`)
    })

  runtime
    .command('list')
    .description('all runtimes')
    .action(async () => {
      const client = await connectAdmin(context.dataDir)
      const { runtimes } = await client.graphql<{ runtimes: Runtime[] }>(
        `{ runtimes { ${FIELDS} } }`,
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

  runtime
    .command('show <id>')
    .description('one runtime')
    .action(async (id: string) => {
      const client = await connectAdmin(context.dataDir)
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

  runtime
    .command('delete <id>')
    .description('delete a runtime with its stopped versions and all its data')
    .option('--comment <text>', 'why', 'deleted by krectl')
    .action(async (id: string, { comment }: { comment: string }) => {
      const client = await connectAdmin(context.dataDir)
      await client.graphql(
        `mutation ($input: DeleteRuntimeInput!) { deleteRuntime(input: $input) { id } }`,
        { input: { id, comment } },
      )
      context.output.result({ id, deleted: true }, `Runtime "${id}" is deleted.`)
    })
}
