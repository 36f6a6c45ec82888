/** The control plane that `./krectl.sh test --cluster` starts, and namespaces of it for single tests. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitUntil } from '@kre/service-kit'
import {
  type Cluster,
  openCluster,
} from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { engineRole } from '../../../k8s-manager/src/kubernetes/manifests/engine-role.ts'
import type { PublishMode } from '../../../k8s-manager/src/kubernetes/publish-settings.ts'

const kubeconfig = process.env['KRE_TEST_CLUSTER'] ?? ''

/** Whether there is one. */
export const hasCluster = kubeconfig !== ''
if (!hasCluster)
  process.stderr.write(
    'skipped: tests on Kubernetes. KRE_TEST_CLUSTER is not set: run ./krectl.sh test --cluster\n',
  )

/** With all rights. */
export function openAsAdmin(): Cluster {
  return openCluster(kubeconfig)
}

/** @throws Error with the server's answer. */
export async function ask(
  cluster: Cluster,
  method: 'GET' | 'PATCH' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  contentType = 'application/apply-patch+yaml',
): Promise<unknown> {
  const signal = new AbortController().signal
  const answer = await cluster.request({ method, path, body, contentType, signal })
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`)
  return JSON.parse(answer.body)
}

/** Makes an object, or brings it to what is given. */
export async function make(cluster: Cluster, path: string, object: object): Promise<unknown> {
  return ask(cluster, 'PATCH', `${path}?fieldManager=test&force=true`, object)
}

export type TestNamespace = AsyncDisposable & {
  name: string
  /** With the rights of the engine's Role in this namespace, and no others. */
  openAsEngine(): Promise<Cluster>
  /** Path of the kubeconfig by which an engine is given these rights. */
  kubeconfig(): Promise<string>
  /** Takes verbs on Deployments from the engine's Role; none = gives all of them back. */
  forbid(resource: 'deployments', verbs: readonly string[]): Promise<void>
  /** Names of all objects of a kind. */
  names(api: string): Promise<string[]>
}

/** Its pods have to be as the `restricted` profile of Pod Security wants them. */
export async function makeNamespace(
  admin: Cluster,
  publish: PublishMode = 'service',
): Promise<TestNamespace> {
  const name = `kre-test-${randomBytes(5).toString('hex')}`
  const home = await mkdtemp(join(tmpdir(), 'kre-cluster-'))
  await make(admin, `/api/v1/namespaces/${name}`, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  })
  const rights = await giveEngineItsRole(admin, name, publish)
  const kubeconfigFile = async () => {
    const file = join(home, 'kubeconfig')
    await writeFile(file, await engineKubeconfig(admin, name), { mode: 0o600 })
    return file
  }
  return {
    name,
    forbid: rights.forbid,
    openAsEngine: async () => openCluster(await kubeconfigFile()),
    kubeconfig: kubeconfigFile,
    async names(api) {
      const { items } = (await ask(admin, 'GET', api.replace('NS', name))) as {
        items: { metadata: { name: string } }[]
      }
      return items.map(({ metadata }) => metadata.name).toSorted()
    },
    async [Symbol.asyncDispose]() {
      await ask(admin, 'DELETE', `/api/v1/namespaces/${name}`)
      await rm(home, { recursive: true, force: true })
    },
  }
}

const RBAC = 'rbac.authorization.k8s.io/v1'

async function giveEngineItsRole(
  admin: Cluster,
  namespace: string,
  publish: PublishMode,
): Promise<Pick<TestNamespace, 'forbid'>> {
  const role = engineRole(namespace, 'kre', publish)
  const rolePath = `/apis/${RBAC}/namespaces/${namespace}/roles/kre`
  await make(admin, `/api/v1/namespaces/${namespace}/serviceaccounts/kre`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'kre' },
  })
  await make(admin, rolePath, role)
  await make(admin, `/apis/${RBAC}/namespaces/${namespace}/rolebindings/kre`, {
    apiVersion: RBAC,
    kind: 'RoleBinding',
    metadata: { name: 'kre' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'kre' },
    subjects: [{ kind: 'ServiceAccount', name: 'kre', namespace }],
  })
  await untilAllowed(admin, namespace, 'create', true)
  return {
    async forbid(resource, verbs) {
      const { apiVersion, kind, metadata } = role
      const rules = (role.rules ?? []).map(({ apiGroups, resources = [], verbs: all }) => ({
        apiGroups,
        resources,
        verbs: resources.includes(resource) ? all.filter((verb) => !verbs.includes(verb)) : all,
      }))
      await make(admin, rolePath, { apiVersion, kind, metadata, rules })
      await untilAllowed(admin, namespace, 'create', !verbs.includes('create'))
    },
  }
}

/** The admin's, with the token of the engine's account in place of the certificate. */
async function engineKubeconfig(admin: Cluster, namespace: string): Promise<string> {
  const { status } = (await postToken(admin, namespace)) as { status: { token: string } }
  const own = await readFile(kubeconfig, 'utf8')
  return own.replace(/^users: .*$/m, `users: [{name: test, user: {token: "${status.token}"}}]`)
}

/** Servers learn of a Role a moment after it is written. */
async function untilAllowed(
  admin: Cluster,
  namespace: string,
  verb: string,
  isAllowed: boolean,
): Promise<void> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${namespace}:kre`,
      resourceAttributes: { namespace, verb, group: 'apps', resource: 'deployments' },
    },
  }
  await waitUntil(`the engine's right to ${verb}`, async () => {
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
    const { status } = (await ask(admin, 'POST', path, review, 'application/json')) as {
      status: { allowed: boolean }
    }
    return status.allowed === isAllowed
  })
}

async function postToken(admin: Cluster, namespace: string): Promise<unknown> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/kre/token`
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }
  return ask(admin, 'POST', path, request, 'application/json')
}
