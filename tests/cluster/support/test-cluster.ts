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
  /** Path of a kubeconfig with the rights of the engine's Role in this namespace, and no others. */
  kubeconfig(): Promise<string>
  /** Takes verbs on a kind of objects from the engine's Role; none = gives all of them back. */
  forbid(resource: string, verbs: readonly string[]): Promise<void>
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
  await make(admin, `/api/v1/namespaces/${name}/serviceaccounts/kre`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'kre' },
  })
  const rights = await giveRights(admin, { namespace: name, account: name }, publish)
  const kubeconfigFile = async () => {
    const file = join(home, 'kubeconfig')
    await writeFile(file, await engineKubeconfig(admin, name), { mode: 0o600 })
    return file
  }
  return {
    name,
    forbid: rights.forbid,
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

/** A namespace, and the one whose account "kre" gets rights in it. */
type Binding = { readonly namespace: string; readonly account: string }
type Right = { readonly verb: string; readonly group: string; readonly resource: string }

const RBAC = 'rbac.authorization.k8s.io/v1'

/** Those of the engine's Role, in a namespace that is there. Resolves when the API server knows of them. */
export async function giveRights(
  admin: Cluster,
  binding: Binding,
  publish: PublishMode = 'service',
): Promise<Pick<TestNamespace, 'forbid'>> {
  const { namespace, account } = binding
  const role = engineRole(namespace, 'kre', publish)
  const rules = (role.rules ?? []).map(({ apiGroups: [group = ''] = [], resources, verbs }) => ({
    group,
    resource: resources?.[0] ?? '',
    verbs,
  }))
  const rolePath = `/apis/${RBAC}/namespaces/${namespace}/roles/kre`
  await make(admin, rolePath, role)
  await make(admin, `/apis/${RBAC}/namespaces/${namespace}/rolebindings/kre`, {
    apiVersion: RBAC,
    kind: 'RoleBinding',
    metadata: { name: 'kre' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'kre' },
    subjects: [{ kind: 'ServiceAccount', name: 'kre', namespace: account }],
  })
  const create = { verb: 'create', group: 'apps', resource: 'deployments' }
  await untilAllowed(admin, binding, create, true)
  return {
    async forbid(resource, verbs) {
      const left = rules.map((rule) => ({
        apiGroups: [rule.group],
        resources: [rule.resource],
        verbs: rule.verbs.filter((verb) => rule.resource !== resource || !verbs.includes(verb)),
      }))
      const { apiVersion, kind, metadata } = role
      const own = left.filter((rule) => rule.verbs.length > 0)
      await make(admin, rolePath, { apiVersion, kind, metadata, rules: own })
      for (const rule of rules.filter((one) => one.resource === resource))
        for (const verb of rule.verbs)
          await untilAllowed(admin, binding, { ...rule, verb }, !verbs.includes(verb))
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
  { namespace, account }: Binding,
  { verb, group, resource }: Right,
  isAllowed: boolean,
): Promise<void> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${account}:kre`,
      resourceAttributes: { namespace, verb, group, resource },
    },
  }
  await waitUntil(`the engine's right to ${verb} ${resource}`, async () => {
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
