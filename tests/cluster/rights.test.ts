/** Each right that the engine has on a cluster, taken from it, and each name that it uses, taken by somebody else. */
import { describe, expect, jest, test } from '@jest/globals'
import { objectName, toKreError } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { engineRole } from '../../k8s-manager/src/kubernetes/manifests/engine-role.ts'
import { groupName } from '../../k8s-manager/src/kubernetes/manifests/identity.ts'
import {
  accessSecretName,
  valuesSecretName,
} from '../../k8s-manager/src/kubernetes/manifests/secrets.ts'
import { apply, ready } from '../../k8s-manager/src/testing/apply.ts'
import { ALL, entrypoint, node, NONE, orAway, published, reasonsOf, takes } from './support/life.ts'
import { countOwn, startTarget } from './support/start-target.ts'
import { ask, hasCluster, make } from './support/test-cluster.ts'
import { useCluster } from './support/use-cluster.ts'

jest.setTimeout(400_000)

const signal = new AbortController().signal
const LONG = { timeoutMs: 90_000 }
const INGRESS = { publish: { mode: 'ingress', host: '{runtime}.example.com' } } as const

if (!hasCluster) describe.skip('rights on a cluster', () => test('are not tried', () => undefined))
else describe('rights on a cluster', rightsOnTheCluster)

function rightsOnTheCluster(): void {
  const cluster = useCluster()

  test('every right of its Role is needed, and named when it is missing', async () => {
    const waiting = RIGHTS.values()
    const heard: Record<string, string> = {}
    const work = async () => {
      for (const right of waiting) heard[nameOf(right)] = await lifeWithout(cluster.admin, right)
    }
    await Promise.all([work(), work(), work(), work()])
    const expected = RIGHTS.map((right) => [nameOf(right), whereHeard(right)])
    expect(heard).toEqual(Object.fromEntries(expected))
  })

  test('each name that somebody else has: it is named, and theirs stays as it is', async () => {
    await using started = await startTarget(cluster.admin, INGRESS)
    const { target, namespace } = started
    for (const [kind, api, name, fields] of FOREIGN) {
      const path = `${api.replace('NS', namespace.name)}/${name}`
      await make(cluster.admin, path, {
        apiVersion: versionIn(api),
        kind,
        metadata: { name },
        ...fields,
      })
      const before = await contentOf(cluster.admin, path)
      const stages = await apply(target, ALL)
      const refused = stages.filter(({ status }) => status === 'error')
      expect(refused.length).toBeGreaterThan(0)
      for (const { message } of refused)
        expect(message).toContain(`${kind} "${name}" in namespace "${namespace.name}" is somebody`)
      await apply(target, NONE)
      await waitUntil(
        `nothing of ours is left beside ${kind} ${name}`,
        async () => (await countOwn(namespace)) === 0,
        LONG,
      )
      expect(await contentOf(cluster.admin, path)).toEqual(before)
      await ask(cluster.admin, 'DELETE', path)
    }
    await takes(target, ALL)
    await ready(target, 4)
  })
}

type Right = { readonly group: string; readonly resource: string; readonly verb: string }

const RIGHTS: readonly Right[] = (engineRole('any', 'kre', 'ingress').rules ?? []).flatMap(
  ({ apiGroups: [group = ''] = [], resources: [resource = ''] = [], verbs }) =>
    verbs.map((verb) => ({ group, resource, verb })),
)

function nameOf({ resource, verb }: Right): string {
  return `${verb} ${resource}`
}

/** Where people find it: with the version, or, when nothing of a version is missing, in the engine's log. */
function whereHeard({ resource, verb }: Right): string {
  if (verb === 'list' || verb === 'watch') return 'what runs can not be looked at'
  if (resource === 'events' || (verb === 'delete' && /^(?:secrets|configmaps)$/.test(resource)))
    return 'log'
  return 'version'
}

/** Starts, changes and ends versions. @returns where the missing rule was named; `nowhere` = all of it went well. */
async function lifeWithout(admin: Cluster, right: Right): Promise<string> {
  const { group, resource, verb } = right
  await using started = await startTarget(admin, INGRESS, {
    before: async (namespace) => namespace.forbid(resource, [verb]),
  })
  const { target, namespace, log } = started
  const rule = `{apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]} to its Role in namespace "${namespace.name}"`
  const hearOnce = async (wanted: typeof ALL | typeof NONE): Promise<string | null> => {
    try {
      const stages = await apply(target, wanted)
      const said = stages.map(({ message }) => message)
      if (said.some((text) => text.includes(rule))) return 'version'
      if (reasonsOf(await target.fetch(signal)).some((text) => text.includes(rule)))
        return 'version'
    } catch (error) {
      const { message } = toKreError(error)
      if (message.includes(rule)) return 'what runs can not be looked at'
      if (toKreError(error).code !== 'unavailable') throw error
    }
    return log.some((text) => text.includes(rule)) ? 'log' : null
  }
  /** The log has it a moment before the version shows it. */
  const hear = async (wanted: typeof ALL | typeof NONE): Promise<string | null> => {
    const where = await hearOnce(wanted)
    if (where !== 'log' || whereHeard(right) === 'log') return where
    const shown = async () => {
      const again = await hearOnce(wanted)
      return again === 'log' ? null : again
    }
    return waitUntil(`the version shows it, too: ${rule}`, shown, LONG)
  }
  const lives = async (): Promise<string> => {
    const first = await hear(ALL)
    if (first !== null) return first
    await ready(target, 4)
    // An Event is written of what is changed by hand.
    const policies = `/apis/networking.k8s.io/v1/namespaces/${namespace.name}/networkpolicies`
    await ask(admin, 'DELETE', `${policies}/${groupName(node)}`)
    await waitUntil('it is there again', async () =>
      (await namespace.names(policies)).includes(groupName(node)),
    )
    const second = await hear(ALL)
    if (second !== null) return second
    return waitUntil(
      'it is heard, or all is gone',
      async () => (await hear(NONE)) ?? ((await countOwn(namespace)) === 0 ? 'nowhere' : null),
      LONG,
    )
  }
  const heard = await lives()
  await namespace.forbid(resource, [])
  await waitUntil(
    `nothing is left once it may ${nameOf(right)}`,
    async () => {
      await apply(target, NONE).catch(orAway)
      return (await countOwn(namespace)) === 0
    },
    LONG,
  )
  return heard
}

const CORE = '/api/v1/namespaces/NS'
const NETWORKING = '/apis/networking.k8s.io/v1/namespaces/NS'
const THEIRS = { selector: { matchLabels: { theirs: 'yes' } } }
/** Kind, where it is, a name that we need, and what such an object has to have. */
const FOREIGN: readonly (readonly [string, string, string, object])[] = [
  ['ConfigMap', `${CORE}/configmaps`, groupName(node), {}],
  ['ServiceAccount', `${CORE}/serviceaccounts`, groupName(node), {}],
  ...[groupName(node), groupName(node, 'callers')].map(
    (name) =>
      [
        'NetworkPolicy',
        `${NETWORKING}/networkpolicies`,
        name,
        { spec: { podSelector: {} } },
      ] as const,
  ),
  ['Secret', `${CORE}/secrets`, accessSecretName(node), {}],
  ['Secret', `${CORE}/secrets`, valuesSecretName(node) ?? '', {}],
  [
    'Deployment',
    '/apis/apps/v1/namespaces/NS/deployments',
    objectName(node.id),
    {
      spec: {
        ...THEIRS,
        replicas: 0,
        template: {
          metadata: { labels: THEIRS.selector.matchLabels },
          spec: { containers: [{ name: 'c', image: 'none' }] },
        },
      },
    },
  ],
  [
    'PodDisruptionBudget',
    '/apis/policy/v1/namespaces/NS/poddisruptionbudgets',
    objectName(node.id),
    { spec: { ...THEIRS, minAvailable: 1 } },
  ],
  ['Service', `${CORE}/services`, objectName(entrypoint.id), { spec: { ports: [{ port: 1 }] } }],
  [
    'Ingress',
    `${NETWORKING}/ingresses`,
    objectName(published.id),
    { spec: { defaultBackend: { service: { name: 'theirs', port: { number: 1 } } } } },
  ],
]

function versionIn(api: string): string {
  return api.replace(/^\/apis?\//, '').replace(/\/namespaces\/.*$/, '')
}

/** All of an object but what the cluster itself writes into it. */
async function contentOf(admin: Cluster, path: string): Promise<object> {
  const object = (await ask(admin, 'GET', path)) as { metadata: Record<string, unknown> }
  const { name, uid, labels, annotations, ownerReferences } = object.metadata
  delete (annotations as Record<string, string> | undefined)?.['deployment.kubernetes.io/revision']
  return {
    ...object,
    metadata: { name, uid, labels, ownerReferences, annotations: { ...(annotations as object) } },
    status: null,
  }
}
