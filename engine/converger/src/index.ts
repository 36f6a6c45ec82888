export { compile, type CompileSettings } from './compile.ts'
export { createConverger, type Converger } from './converger.ts'
