import { afterAll, beforeAll } from '@jest/globals'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { type FakeNodes, startFakeNodes } from './fake-nodes.ts'
import { openAsAdmin } from './test-cluster.ts'

/** The cluster as its administrator sees it, with machines, for the tests around the call; to be read in tests alone. */
export function useCluster(): { readonly admin: Cluster; readonly nodes: FakeNodes } {
  let admin: Cluster
  let nodes: FakeNodes
  beforeAll(async () => {
    admin = openAsAdmin()
    nodes = await startFakeNodes(admin)
  })
  afterAll(async () => {
    await nodes?.[Symbol.asyncDispose]()
    admin?.[Symbol.dispose]()
  })
  return {
    get admin() {
      return admin
    },
    get nodes() {
      return nodes
    },
  }
}
