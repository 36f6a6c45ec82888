export { startFakeServer, welcome, type FakeClient, type FakeServer } from './fake-server.ts'
