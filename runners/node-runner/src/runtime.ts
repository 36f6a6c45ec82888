/** The seam between a node and the language of its handlers: what each language brings, and what it is given. */
import type { NodeLaunch, StartStage } from '@kre/contracts/runtime'
import type { CallPort } from '@kre/sdk'
import type { Dispatcher } from './calls/dispatcher.ts'
import type { HandlerHost } from './calls/handler-host.ts'
import type { NodeLog } from './outputs/node-log.ts'
import type { DataServices, ServiceCaller } from './services/data-services.ts'

/** What a language brings: how its handlers are loaded, run and ended. */
export type Runtime = {
  readonly host: HandlerHost
  /** Receives the errors of the nodes it listens to. */
  readonly handlesErrors: boolean
  /** Whether a call is on this process's stack, so that what happens now is its doing. */
  hasCurrentCall(): boolean
  /** Gives out log lines that still wait. */
  flush(): void
  close(): Promise<void>
}

export type RuntimeDeps = {
  readonly launch: NodeLaunch
  readonly dispatcher: Dispatcher
  readonly services: DataServices
  readonly log: NodeLog
  /** Other nodes run in this process too. */
  readonly isShared: boolean
  /** Environment of user code. */
  readonly environment: Readonly<Record<string, string>>
  /** The process's own, for user code that runs in it. */
  readonly ownEnvironment: NodeJS.ProcessEnv
  /** A service caller, and context, for code that runs outside of a message. */
  readonly outside: CallPort & ServiceCaller
  /** Told when the handler's file begins to be loaded, and when its `init` begins. */
  readonly onStage: (stage: StartStage['stage']) => void
  /** Ends the node: user code can't go on. */
  readonly onFatal: (what: string, exitCode: number) => void
}
