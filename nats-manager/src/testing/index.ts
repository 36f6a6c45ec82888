export { accessToAll } from './access-to-all.ts'
export { entrypointWorkload, nodeWorkload, sampleNodes } from './sample-workloads.ts'
export { type IsolatedNats, sampleVersion, startIsolatedNats } from './start-isolated-nats.ts'
export { makeCluster, type TestCluster } from './start-cluster.ts'
