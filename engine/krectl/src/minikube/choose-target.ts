import type { Context } from '../context.ts'
import { UsageError } from '../output/exit-code.ts'
import { readClusterSettings, type DevelopmentTarget } from './cluster-settings.ts'

/** What `--target` means, for the commands that work here and on minikube. Default: KRECTL_TARGET. */
export const TARGET_OPTION = [
  '--target <target>',
  'local: processes on this computer; minikube (default: $KRECTL_TARGET, or local)',
] as const

/** @throws UsageError for another name. */
export function chooseTarget(
  { environment }: Pick<Context, 'environment'>,
  wanted: string | undefined,
): DevelopmentTarget {
  const target =
    wanted ?? readClusterSettings({ KRECTL_TARGET: environment['KRECTL_TARGET'] }).target
  if (target === 'local' || target === 'minikube') return target
  throw new UsageError(`--target is local or minikube, not "${target}"`)
}
