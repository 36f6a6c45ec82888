import { describe, expect, test } from '@jest/globals'
import type {
  V1ContainerState,
  V1ContainerStatus,
  V1Deployment,
  V1Pod,
} from '@kubernetes/client-node'
import { leanDeployment, leanObject, leanPart, leanPod } from './lean-objects.ts'
import { ANNOTATION } from './manifests/identity.ts'
import { creationProblem } from './observe/creation-problem.ts'
import { lostFields } from './observe/lost-fields.ts'
import { podState } from './observe/pod-state.ts'
import { unusedSecrets } from './observe/unused-secrets.ts'

const values = (name: string) => ({
  name: 'config',
  projected: { sources: [{ secret: { name } }] },
})
const pod = {
  metadata: {
    name: 'p',
    uid: '12345678-1234-1234-1234-123456789abc',
    resourceVersion: '7',
    labels: { 'kre.dev/workload': 'd' },
    annotations: { [ANNOTATION.specHash]: 'h', [ANNOTATION.launch]: 'long', other: 'theirs' },
    managedFields: [{ manager: 'kubelet' }],
  },
  spec: {
    containers: [{ name: 'node', image: 'i' }],
    volumes: [values('values-1'), { name: 'tmp', emptyDir: {} }],
  },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
} satisfies V1Pod
const own = { manager: 'kre', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }
const deployment = {
  metadata: {
    name: 'd',
    generation: 1,
    annotations: { [ANNOTATION.spec]: '{}', [ANNOTATION.configSecrets]: 'values-0,values-1' },
    managedFields: [own, { manager: 'controller', subresource: 'status', fieldsV1: { big: {} } }],
  },
  spec: {
    replicas: 1,
    selector: { matchLabels: {} },
    template: {
      metadata: { annotations: { [ANNOTATION.launch]: 'long' } },
      spec: { containers: [{ name: 'node', image: 'i' }], volumes: [values('values-1')] },
    },
  },
  status: { observedGeneration: 1, updatedReplicas: 1, replicas: 1 },
} satisfies V1Deployment

const condition = (type: string, status: string) => ({ type, status, message: `${type} says` })
const container = (
  state: V1ContainerState,
  more: { restartCount?: number; started?: boolean; lastState?: V1ContainerState } = {},
): V1ContainerStatus => ({
  name: 'node',
  ready: false,
  restartCount: 1,
  image: 'i',
  imageID: 'd',
  state,
  ...more,
})

describe('what is kept of an object', () => {
  test('tells the same as the whole of it', () => {
    expect(podState(leanPod(pod), 0, 1)).toEqual(podState(pod, 0, 1))
    const used = ({ remove }: ReturnType<typeof unusedSecrets>) => remove
    expect(used(unusedSecrets([[leanDeployment(deployment), [leanPod(pod)]]]))).toEqual(
      used(unusedSecrets([[deployment, [pod]]])),
    )
    const rendered = { spec: { replicas: 1, paused: true } }
    expect(lostFields(rendered, leanObject(deployment).metadata?.managedFields)).toEqual(
      lostFields(rendered, deployment.metadata?.managedFields),
    )
    // Somebody else has taken all over: that must be seen too.
    const theirs = { metadata: { managedFields: [{ manager: 'kubectl', fieldsV1: { a: {} } }] } }
    expect(lostFields(rendered, leanObject(theirs).metadata?.managedFields)).toEqual(['all'])
  })

  test('has nothing of what pods run, and of the fields of others', () => {
    expect(JSON.stringify([leanPod(pod), leanDeployment(deployment)])).not.toMatch(
      /long|theirs|big|"image"/,
    )
  })

  test.each<[string, NonNullable<V1Pod['status']>]>([
    ['is not scheduled', { phase: 'Pending', conditions: [condition('PodScheduled', 'False')] }],
    ['was evicted', { phase: 'Failed', reason: 'Evicted', message: 'no memory' }],
    [
      'has no image',
      { containerStatuses: [container({ waiting: { reason: 'ImagePullBackOff' } })] },
    ],
    [
      'could not be prepared',
      { initContainerStatuses: [container({ terminated: { exitCode: 3, message: 'said' } })] },
    ],
    [
      'was killed before and runs again',
      {
        conditions: [condition('Ready', 'True')],
        containerStatuses: [
          container(
            { running: { startedAt: new Date(1_000) } },
            {
              restartCount: 4,
              lastState: {
                terminated: { exitCode: 137, reason: 'OOMKilled', finishedAt: new Date(500) },
              },
            },
          ),
        ],
      },
    ],
    [
      'starts again',
      { containerStatuses: [container({ running: {} }, { started: false, lastState: {} })] },
    ],
  ])('tells of a pod that %s the same as the whole of it', (_what, status) => {
    const one: V1Pod = { ...pod, status }
    expect(podState(leanPod(one), 2_000, 1_000)).toEqual(podState(one, 2_000, 1_000))
  })

  test('tells of a Deployment why it has no pods', () => {
    const conditions = [
      { type: 'Available', status: 'False' },
      { type: 'ReplicaFailure', status: 'True', message: 'is forbidden: x' },
    ]
    const refused = { ...deployment, status: { conditions } }
    expect(creationProblem(leanDeployment(refused))).toBe(creationProblem(refused))
    expect(creationProblem(leanDeployment(refused))).toContain('is forbidden')
  })

  test('of a part has who owns its fields, and no more', () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 's',
        uid: 'u',
        managedFields: [own],
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'o' }],
      },
      spec: { clusterIP: '10.0.0.1' },
    }
    expect(leanPart(service)).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's', uid: 'u', managedFields: [own] },
    })
  })
})
