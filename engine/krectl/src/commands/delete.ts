import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { readClusterSettings } from '../minikube/cluster-settings.ts'
import { UsageError } from '../output/exit-code.ts'
import { deleteRuntime, deleteVersion, type DeleteOptions } from './delete-after-asking.ts'

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
    .action(async (names: string[], options: DeleteOptions) => {
      const [runtimeId = '', name = ''] = withoutNamespace(context, names, 2, 'RUNTIME VERSION')
      await deleteVersion(context, runtimeId, name, options)
    })
  remove
    .command('runtime <names...>')
    .usage('[NAMESPACE] RUNTIME [options]')
    .description('delete a runtime with its stopped versions and all its data')
    .option('--comment <text>', 'why', 'deleted by krectl')
    .option('--yes', 'without being asked on a terminal')
    .action(async (names: string[], options: DeleteOptions) => {
      const [id = ''] = withoutNamespace(context, names, 1, 'RUNTIME')
      await deleteRuntime(context, id, options)
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
