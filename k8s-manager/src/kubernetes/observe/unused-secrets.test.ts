import { expect, test } from '@jest/globals'
import type { V1Deployment, V1Pod } from '@kubernetes/client-node'
import { unusedSecrets } from './unused-secrets.ts'

const deployment = (secrets: string, status: object): V1Deployment => ({
  metadata: { generation: 2, annotations: { 'kre.dev/config-secrets': secrets } },
  spec: { replicas: 1, selector: {}, template: {} },
  status,
})
const podWith = (secretName: string): V1Pod => ({
  spec: { containers: [], volumes: [{ name: 'config', secret: { secretName } }] },
})
const ROLLED = { observedGeneration: 2, replicas: 1, updatedReplicas: 1 }

test('Secrets of earlier specs are unused when the roll is over and their pods are gone', () => {
  expect(unusedSecrets(deployment('a,b,c', ROLLED), [podWith('c')])).toEqual(['a', 'b'])
  expect(unusedSecrets(deployment('a,b,c', ROLLED), [podWith('c'), podWith('b')])).toEqual(['a'])
})
test.each([
  ['the newest one', deployment('a', ROLLED)],
  ['one of a roll that is under way', deployment('a,b', { ...ROLLED, replicas: 2 })],
  ['one of a roll that nobody has begun', deployment('a,b', { ...ROLLED, observedGeneration: 1 })],
  ['one of a Deployment without pods', deployment('a,b', {})],
])('%s is kept', (_name, one) => {
  expect(unusedSecrets(one, [])).toEqual([])
})
