import type { Command } from 'commander'
import { KreError } from '@kre/contracts'

/** Commands of the original that work on a cluster: named in the help, refused with the way that works today. */
const CLUSTER_COMMANDS = [
  ['start', 'starts minikube kre profile.', 'On this computer "krectl dev" needs no cluster.'],
  [
    'build',
    'calls docker to build all images inside minikube.',
    'The local engine runs from source and needs no images.',
  ],
  [
    'deploy',
    'calls helm to create install/upgrade a kre release on minikube.',
    'On this computer "krectl dev" is the whole installation.',
  ],
  [
    'delete',
    'calls kubectl to remove runtimes or versions.',
    'Use "krectl runtime delete" and "krectl version delete".',
  ],
] as const

export function clusterCommands(program: Command): void {
  for (const [name, description, instead] of CLUSTER_COMMANDS) {
    program
      .command(`${name} [arguments...]`)
      .description(`${description} Needs a cluster, which this version can't drive yet.`)
      .allowUnknownOption()
      .action(() => {
        throw new KreError(
          'unimplemented',
          `"krectl ${name}" needs a Kubernetes cluster, which this version of KRE can't drive yet. ${instead}`,
        )
      })
  }
}
