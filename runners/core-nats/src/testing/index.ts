export { startFakeServer, welcome, type FakeClient, type FakeServer } from './fake-server.ts'
export { countClaimChunks, createClaimBucket } from './create-claim-bucket.ts'
