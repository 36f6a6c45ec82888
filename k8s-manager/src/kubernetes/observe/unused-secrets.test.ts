import { expect, test } from '@jest/globals'
import type { V1Deployment, V1Pod, V1PodSpec } from '@kubernetes/client-node'
import { unusedSecrets } from './unused-secrets.ts'

const specWith = (name: string): V1PodSpec => ({
  containers: [],
  volumes: [{ name: 'config', projected: { sources: [{ secret: { name } }] } }],
})
const deployment = (secrets: string, status: object): V1Deployment => ({
  metadata: { generation: 2, annotations: { 'kre.dev/config-secrets': secrets } },
  spec: {
    replicas: 1,
    selector: {},
    template: { spec: specWith(secrets.split(',').at(-1) ?? '') },
  },
  status,
})
const podWith = (name: string): V1Pod => ({ spec: specWith(name) })
const ROLLED = { observedGeneration: 2, replicas: 1, updatedReplicas: 1 }

test('Secrets of earlier specs are unused when the roll is over and their pods are gone', () => {
  const removed = (pods: V1Pod[]) =>
    unusedSecrets([[deployment('a,b,c', ROLLED), pods]]).remove.toSorted()
  expect(removed([podWith('c')])).toEqual(['a', 'b'])
  expect(removed([podWith('c'), podWith('b')])).toEqual(['a'])
})
test.each([
  ['the newest one', deployment('a', ROLLED)],
  ['one of a roll that is under way', deployment('a,b', { ...ROLLED, replicas: 2 })],
  ['one of a roll that nobody has begun', deployment('a,b', { ...ROLLED, observedGeneration: 1 })],
  ['one of a Deployment without pods', deployment('a,b', {})],
])('%s is kept', (_name, one) => {
  expect(unusedSecrets([[one, []]])).toEqual({ forget: new Map(), remove: [] })
})
test('what another workload of the version needs stays, and this one forgets it', () => {
  const rolled = deployment('a,b', ROLLED)
  const { forget, remove } = unusedSecrets([
    [rolled, [podWith('b')]],
    [deployment('a', ROLLED), [podWith('a')]],
  ])
  expect([...forget]).toEqual([[rolled, ['a']]])
  expect(remove).toEqual([])
})
