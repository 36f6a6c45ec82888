import type { ClaimStore, CoreConnection } from '@kre/core-nats'
import type { LocalHops } from './hops/local-hops.ts'
import type { NodeTracing } from './process/node-spans.ts'
import type { StartStages } from './process/start-stage.ts'

/** What the nodes of a process share. */
export type NodeProcess = {
  readonly connection: CoreConnection
  readonly claims: ClaimStore
  /** Nodes whose outputs stay in the process, by id. */
  readonly nodes: ReadonlySet<string>
  readonly local: LocalHops
  /** Tells this process from an earlier one of the same replica. */
  readonly incarnation: string
  readonly stages: StartStages
  /** Null = nobody wants spans. */
  readonly tracing: NodeTracing | null
  readonly ownEnvironment: NodeJS.ProcessEnv
  /** Ends the process. */
  readonly onFatal: (what: string, exitCode: number) => void
  readonly onEngineAbsent: () => void
}
