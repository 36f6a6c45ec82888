export { createNatsManager } from './jetstream/nats-manager.ts'
export { startLocalNatsServer, type LocalNatsServer } from './server/local-nats-server.ts'
export { NATS_PAYLOAD_BYTES_MAX } from './server/server-config.ts'
