export { preparePython } from './prepare-python.ts'
export { startNats, type TestNats } from './start-nats.ts'
export { makeAuthority, type Certified, type TestAuthority } from './make-certificates.ts'
export { tlsConfig, type TlsServerOptions } from './tls-nats.ts'
