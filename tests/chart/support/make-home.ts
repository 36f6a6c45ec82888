/** A namespace as the chart expects it, with volumes that somebody has made before. */
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { ask, make } from '../../cluster/support/test-cluster.ts'

const APIS: Readonly<Record<string, readonly [api: string, plural: string]>> = {
  ConfigMap: ['/api/v1', 'configmaps'],
  Pod: ['/api/v1', 'pods'],
  ResourceQuota: ['/api/v1', 'resourcequotas'],
  Secret: ['/api/v1', 'secrets'],
  Service: ['/api/v1', 'services'],
  ServiceAccount: ['/api/v1', 'serviceaccounts'],
  Ingress: ['/apis/networking.k8s.io/v1', 'ingresses'],
  NetworkPolicy: ['/apis/networking.k8s.io/v1', 'networkpolicies'],
  PodDisruptionBudget: ['/apis/policy/v1', 'poddisruptionbudgets'],
  Role: ['/apis/rbac.authorization.k8s.io/v1', 'roles'],
  RoleBinding: ['/apis/rbac.authorization.k8s.io/v1', 'rolebindings'],
  StatefulSet: ['/apis/apps/v1', 'statefulsets'],
  Certificate: ['/apis/cert-manager.io/v1', 'certificates'],
  Issuer: ['/apis/cert-manager.io/v1', 'issuers'],
}

/** @throws Error for a kind that no test has asked for yet. */
export function pathOf(kind: string, namespace: string, name: string): string {
  const [api, plural] = APIS[kind] ?? []
  if (api === undefined || plural === undefined) throw new Error(`where is ${kind}?`)
  return `${api}/namespaces/${namespace}/${plural}/${name}`
}

/** Each pod of the chart has one; those of a removed release are not used again. */
const VOLUMES = 12

/** Volumes have the namespace's name as their class, so that no other test takes them. */
export async function makeHome(admin: Cluster, namespace: string): Promise<AsyncDisposable> {
  await make(admin, `/api/v1/namespaces/${namespace}`, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    },
  })
  await make(admin, pathOf('Secret', namespace, 'kre-mongodb'), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'kre-mongodb' },
    stringData: { uri: 'mongodb://database/' },
  })
  const volumes = Array.from({ length: VOLUMES }, (_, index) => `${namespace}-${index}`)
  for (const name of volumes)
    await make(admin, `/api/v1/persistentvolumes/${name}`, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '200Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: namespace,
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path: '/nowhere' },
      },
    })
  return {
    async [Symbol.asyncDispose]() {
      await ask(admin, 'DELETE', `/api/v1/namespaces/${namespace}`)
      // No machine will say that they have ended.
      const pods = `/api/v1/namespaces/${namespace}/pods`
      const now = { gracePeriodSeconds: 0 }
      await ask(admin, 'DELETE', pods, now, 'application/json')
      for (const name of volumes) await ask(admin, 'DELETE', `/api/v1/persistentvolumes/${name}`)
    },
  }
}
