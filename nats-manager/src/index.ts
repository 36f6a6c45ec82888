export { createNatsManager } from './jetstream/nats-manager.ts'
export { joinLocalNatsServer, type JoinedNatsServer } from './server/join-local-nats-server.ts'
export { startLocalNatsServer, type LocalNatsServer } from './server/local-nats-server.ts'
export { NATS_PAYLOAD_BYTES_MAX } from './server/server-config.ts'
