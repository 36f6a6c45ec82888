export { lookAtNats, type NatsLook } from './look-at-nats.ts'
export {
  NatsTlsEnvironment,
  natsTlsProblems,
  natsTlsSettings,
  readNatsTls,
  type NatsTlsSettings,
} from './tls-settings.ts'
export { createNatsTlsSource, type NatsTlsSource } from './tls-source.ts'
