export { startNats, type TestNats } from './start-nats.ts'
