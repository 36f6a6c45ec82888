export { createContext, type Context } from './context.ts'
export { run } from './run.ts'
