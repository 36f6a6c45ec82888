import { expect, test } from '@jest/globals'
import { imageOf, kubernetesSettings } from '../testing/kubernetes-settings.ts'

test('settings need a namespace, images and NATS; all else has a default', () => {
  expect(kubernetesSettings()).toMatchObject({
    installation: 'kre',
    gpu: { resource: 'nvidia.com/gpu' },
  })
})
test.each([
  'kre/python',
  'kre/python:latest',
  'kre/python@sha256:12',
  `a b@sha256:${'0'.repeat(64)}`,
])('the image %j is refused: only a digest says what runs', (python) => {
  const images = { ...kubernetesSettings().images, python }
  expect(() => kubernetesSettings({ images })).toThrow(/digest/)
})
test('a setting that nobody knows is refused', () => {
  expect(() => kubernetesSettings({ image: imageOf('x') } as object)).toThrow(/image/)
})

test('an address from which machines get their credentials is refused', () => {
  const nats = [{ cidr: '169.254.169.254/32', ports: [80] }]
  expect(() => kubernetesSettings({ network: { nats } })).toThrow(/credentials of the machine/)
})

test('a limit below what is asked for is refused: the cluster would refuse each pod', () => {
  const resources = { cpuRequestMillis: 500, cpuLimitMillis: 400 }
  expect(() => kubernetesSettings({ resources })).toThrow(/less than cpuRequestMillis/)
  expect(kubernetesSettings({ resources: { cpuLimitMillis: 100 } }).resources.cpuLimitMillis).toBe(
    100,
  )
})
