/** Whole objects as YAML, to be read: `KRE_WRITE_DOCS=true npm test -- render-workload` writes them anew. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { dumpYaml } from '@kubernetes/client-node'
import { MiB, type NodeSpec, type Workload } from '@kre/contracts'
import fc from 'fast-check'
import { imageOf, kubernetesSettings } from '../../testing/kubernetes-settings.ts'
import { entrypointWorkload, nodeWorkload } from '../../testing/workloads.ts'
import type { KubernetesSettings } from '../settings.ts'
import { engineRole } from './engine-role.ts'
import { groupObjects, ownerConfigMap, ownerReference } from './group-objects.ts'
import { renderWorkload } from './render-workload.ts'
import { valuesSecret, valuesSecretName } from './secrets.ts'

const settings = kubernetesSettings()
const UID = '11111111-2222-3333-4444-555555555555'

function render(workload: Workload, of: KubernetesSettings = settings) {
  const secrets = { name: valuesSecretName(workload), former: [] }
  return renderWorkload(workload, of, ownerReference(workload, UID), secrets)
}

function expectGolden(name: string, objects: readonly (object | null)[]): void {
  const path = join(import.meta.dirname, 'fixtures', `${name}.yaml`)
  const yaml = objects
    .filter((object) => object !== null)
    .map((object) => dumpYaml(object, { noRefs: true, lineWidth: 120 }))
    .join('---\n')
  if (process.env['KRE_WRITE_DOCS'] === 'true') writeFileSync(path, yaml)
  expect(yaml).toBe(readFileSync(path, 'utf8'))
}

describe('objects', () => {
  test('of a node', () => {
    const { deployment, budget } = render(nodeWorkload('etl', { replicas: 2 }))
    expectGolden('node', [deployment, budget])
  })
  test('of a node with a GPU, on the machines that an operator has chosen', () => {
    const chosen = kubernetesSettings({
      images: { ...settings.images, pullSecrets: ['registry-login'] },
      scheduling: {
        nodeSelector: { pool: 'kre' },
        tolerations: [{ key: 'kre', operator: 'Exists' }],
        affinity: { nodeAffinity: {} },
        priorityClassName: 'inference',
      },
      annotations: { 'example.com/team': 'vision' },
    })
    const workload = nodeWorkload('model', {
      runner: 'python',
      memoryBytesMax: 3 * 1024 * MiB,
      resources: { cpuMillis: { request: 500, limit: 2_000 }, gpu: { count: 2, class: 'a100' } },
    })
    expectGolden('gpu-node', [render(workload, chosen).deployment])
  })
  test('of an entrypoint', () => {
    const { deployment, budget, service } = render(entrypointWorkload())
    expectGolden('entrypoint', [deployment, service, budget])
  })
  test('that a version shares', () => {
    const of = { runtimeId: 'shop', version: 'v1' }
    expectGolden('version', [
      ownerConfigMap(of, settings),
      ...groupObjects(of, settings, ownerReference(of, UID)),
    ])
  })
  test.each([
    [
      'ingress',
      {
        mode: 'ingress',
        host: '{runtime}.kre.example.com',
        className: 'nginx',
        annotations: { 'nginx.ingress.kubernetes.io/backend-protocol': 'GRPC' },
        tlsSecret: '{runtime}-tls',
      },
    ],
    [
      'gateway',
      {
        mode: 'gateway',
        kind: 'GRPCRoute',
        host: '{runtime}.kre.example.com',
        parents: [{ name: 'public', namespace: 'gateways', sectionName: 'grpc' }],
      },
    ],
    ['load-balancer', { mode: 'service', type: 'LoadBalancer', annotations: { 'lb/scope': 'in' } }],
  ] as const)('of a published entrypoint behind %s', (name, publish) => {
    const of = kubernetesSettings({ publish: structuredClone(publish) as never })
    const { service, route, deployment } = render(entrypointWorkload(null), of)
    expectGolden(`published-${name}`, [service, route])
    expect(deployment.metadata?.annotations?.['kre.dev/route']).toBe(
      route === null ? undefined : `${route.kind}/${route.metadata?.name}`,
    )
    // A version is reached inside of the cluster alone.
    const own = render(entrypointWorkload(), of)
    expect([own.route, own.service?.spec?.type]).toEqual([null, 'ClusterIP'])
  })
  test.each(['service', 'ingress', 'gateway'] as const)(
    'that say what the engine may do with published entrypoints behind %s',
    (mode) => expectGolden(`engine-role-${mode}`, [engineRole('runners', 'kre', mode)]),
  )
})

describe('every pod', () => {
  const pods = [nodeWorkload('etl'), entrypointWorkload(), entrypointWorkload(null)].map(
    (workload) => render(workload).deployment.spec?.template.spec,
  )
  test('is as the restricted profile wants it, with nothing to write to but its folders', () => {
    for (const pod of pods) {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      })
      for (const container of [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])]) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          privileged: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        expect(container.resources?.limits?.['memory']).toBe(
          container.resources?.requests?.['memory'],
        )
        expect(container.image).toMatch(/@sha256:/)
      }
      const kinds = (pod?.volumes ?? []).flatMap((volume) =>
        Object.keys(volume).filter((key) => key !== 'name'),
      )
      expect(new Set(kinds)).toEqual(new Set(['projected', 'secret', 'emptyDir']))
    }
  })
  test('has a limit of processors in each container where the operator wants one, and the manifest’s own', () => {
    const of = kubernetesSettings({ resources: { cpuLimitMillis: 750 } })
    const limits = (workload: Workload) => {
      const spec = render(workload, of).deployment.spec?.template.spec
      const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
      return all.map(({ name, resources }) => [name, resources?.limits?.['cpu']])
    }
    expect(limits(entrypointWorkload())).toEqual([
      ['prepare', '750m'],
      ['entrypoint', '750m'],
    ])
    const resources = { cpuMillis: { request: 500, limit: 2_000 }, gpu: null }
    expect(limits(nodeWorkload('etl', { resources }))).toEqual([
      ['prepare', '750m'],
      ['node', '2'],
    ])
  })
  test('has time to drain before it is killed, and an entrypoint time to be forgotten before that', () => {
    const [node, entrypoint] = pods
    expect(node?.terminationGracePeriodSeconds).toBe(35)
    expect(entrypoint?.terminationGracePeriodSeconds).toBe(40)
    expect(entrypoint?.containers[0]?.lifecycle).toEqual({ preStop: { sleep: { seconds: 5 } } })
  })
  test('runs the image of its runner, or one that an operator has given for the manifest’s', () => {
    const special = imageOf('special')
    const of = kubernetesSettings({ images: { ...settings.images, byName: { mine: special } } })
    const image = (name: string) => {
      const workload = nodeWorkload('etl')
      const spec = { ...(workload.spec as NodeSpec), image: name }
      return render({ ...workload, spec }, of).deployment.spec?.template.spec?.containers[0]?.image
    }
    expect([image('mine'), image('other'), image('constructor')]).toEqual([
      special,
      imageOf('typescript'),
      imageOf('typescript'),
    ])
  })
})

test('no value of a configuration is anywhere but in the Secret', () => {
  const workload = nodeWorkload('etl')
  const config = { variables: { PASSWORD: 'canary-1' }, files: { KEY: 'canary-2' } }
  const spec: NodeSpec = { ...(workload.spec as NodeSpec), config, fused: [] }
  const member = { ...spec, fused: undefined, node: 'next' }
  const whole = { ...workload, spec: { ...spec, fused: [member] } }
  expect(JSON.stringify(render(whole))).not.toMatch(/canary/)
  const secret = valuesSecret(whole, settings, {})
  expect(JSON.stringify(secret)).not.toMatch(/canary/)
  expect(Buffer.from(secret?.data?.['values.json'] ?? '', 'base64').toString()).toMatch(/canary-1/)
})

test('names are legal, short enough and different for different workloads, whatever the ids are', () => {
  const id = fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,17}[a-z0-9])?$/)
  const workload = fc.tuple(id, id, id, id)
  fc.assert(
    fc.property(
      fc.uniqueArray(workload, { minLength: 2, maxLength: 8, selector: String }),
      (all) => {
        const names = all.flatMap(([runtimeId, version, workflow, node]) => {
          const base = nodeWorkload('etl')
          const spec = { ...(base.spec as NodeSpec), runtimeId, version, workflow, node }
          const own = {
            ...base,
            id: `${runtimeId}.${version}.${workflow}.${node}`,
            runtimeId,
            version,
            spec,
          }
          const { deployment } = render(own)
          const { name } = deployment.metadata ?? {}
          return [`Deployment ${name}`, `Secret ${valuesSecretName(own)}`]
        })
        expect(new Set(names).size).toBe(all.length * 2)
        for (const name of names) expect(name).toMatch(/^\w+ [a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/)
      },
    ),
  )
})
