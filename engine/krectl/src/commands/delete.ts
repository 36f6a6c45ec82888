import type { Command } from 'commander'
import { connectEngine } from '../api/connect-engine.ts'
import { operate } from '../api/versions.ts'
import type { Context } from '../context.ts'
import { readClusterSettings } from '../minikube/cluster-settings.ts'
import { confirm } from '../output/confirm.ts'
import { UsageError } from '../output/exit-code.ts'

type DeleteOptions = { comment: string; yes?: boolean }

/** The original's words for what `version delete` and `runtime delete` do; through the API, so that all of it goes. */
export function deleteCommands(program: Command, context: Context): void {
  const remove = program
    .command('delete')
    .description('removes runtimes or versions, through the engine: its data and what runs agree')
  remove
    .command('version <names...>')
    .usage('[NAMESPACE] RUNTIME VERSION [options]')
    .description('delete a stopped version with its stores')
    .option('--comment <text>', 'why, for the history', 'deleted by krectl')
    .option('--yes', 'without being asked on a terminal')
    .action(async (names: string[], { comment, yes }: DeleteOptions) => {
      const [runtimeId = '', name = ''] = withoutNamespace(context, names, 2, 'RUNTIME VERSION')
      const client = await connectEngine(context)
      const what = `Version "${name}" of runtime "${runtimeId}" will be deleted with its stores`
      await confirm(context, what, { yes })
      await operate(client, 'delete', runtimeId, name, comment)
      context.output.result({ version: name, deleted: true }, `Version "${name}" is deleted.`)
    })
  remove
    .command('runtime <names...>')
    .usage('[NAMESPACE] RUNTIME [options]')
    .description('delete a runtime with its stopped versions and all its data')
    .option('--comment <text>', 'why', 'deleted by krectl')
    .option('--yes', 'without being asked on a terminal')
    .action(async (names: string[], { comment, yes }: DeleteOptions) => {
      const [id = ''] = withoutNamespace(context, names, 1, 'RUNTIME')
      const client = await connectEngine(context)
      await confirm(context, `Runtime "${id}" will be deleted with all its data`, { yes })
      await client.graphql(
        `mutation ($input: DeleteRuntimeInput!) { deleteRuntime(input: $input) { id } }`,
        { input: { id, comment } },
      )
      context.output.result({ id, deleted: true }, `Runtime "${id}" is deleted.`)
    })
}

/** The original wanted the namespace first. An engine has one, so another one is somebody's mistake. */
function withoutNamespace(
  { environment }: Context,
  names: readonly string[],
  count: number,
  usage: string,
): readonly string[] {
  if (names.length === count) return names
  const { namespace } = readClusterSettings(environment)
  if (names.length !== count + 1) throw new UsageError(`name what goes: [NAMESPACE] ${usage}`)
  if (names[0] === namespace) return names.slice(1)
  throw new UsageError(
    `the engine's namespace is "${namespace}" (NAMESPACE), not "${names[0]}": choose the engine with --profile or --url, and leave the namespace out`,
  )
}
