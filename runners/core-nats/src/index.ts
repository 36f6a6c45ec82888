export {
  openCoreConnection,
  type CoreConnection,
  type CoreEvents,
  type CoreOptions,
} from './core-connection.ts'
export type { CoreMessage } from './parser.ts'
export type { CoreSubscription } from './subscriptions.ts'
