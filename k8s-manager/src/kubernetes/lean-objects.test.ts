import { describe, expect, test } from '@jest/globals'
import type { V1Deployment, V1Pod } from '@kubernetes/client-node'
import { leanDeployment, leanObject, leanPod } from './lean-objects.ts'
import { ANNOTATION } from './manifests/identity.ts'
import { lostFields } from './observe/lost-fields.ts'
import { podState } from './observe/pod-state.ts'
import { unusedSecrets } from './observe/unused-secrets.ts'

const values = (name: string) => ({
  name: 'config',
  projected: { sources: [{ secret: { name } }] },
})
const pod: V1Pod = {
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
}
const own = { manager: 'kre', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }
const deployment: V1Deployment = {
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
}

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
})
