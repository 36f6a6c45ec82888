export { preparePython } from './prepare-python.ts'
export { startNats, type TestNats } from './start-nats.ts'
