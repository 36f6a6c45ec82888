export { isolatedCommand, type IsolatedView, type IsolationKind } from './isolated-command.ts'
export { probeIsolation, type IsolationVerdict } from './probe-isolation.ts'
