export {
  createLocalTarget,
  type LocalTarget,
  type LocalTargetDeps,
} from './local/create-local-target.ts'
export type { RunnerCommands } from './local/launch-replica.ts'
export { DEFAULT_LOCAL_SETTINGS, type LocalSettings } from './local/settings.ts'
