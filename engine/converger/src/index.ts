export { compile, type CompileSettings } from './compile.ts'
export { createConverger, type Converger } from './converger.ts'
export type { Fence } from './converge-runtime.ts'
export { createAutoscaler, type Autoscaler } from './scaling/autoscaler.ts'
