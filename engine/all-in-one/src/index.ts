export { parseConfig, type Config } from './config.ts'
export { startEngine, type Engine } from './engine.ts'
