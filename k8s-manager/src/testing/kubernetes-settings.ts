import type { z } from 'zod'
import { KubernetesSettings } from '../kubernetes/settings.ts'

export function imageOf(name: string): string {
  return `registry.example/kre/${name}@sha256:${'0123456789abcdef'.repeat(4)}`
}

/** Settings of an installation that leaves everything as it is by default. */
export function kubernetesSettings(
  overrides: Partial<z.input<typeof KubernetesSettings>> = {},
): KubernetesSettings {
  return KubernetesSettings.parse({
    namespace: 'runners',
    images: {
      typescript: imageOf('typescript'),
      python: imageOf('python'),
      onnx: imageOf('onnx'),
      entrypoint: imageOf('entrypoint'),
    },
    network: { nats: [{ namespace: { kre: 'nats' }, pods: { app: 'nats' }, ports: [4222] }] },
    ...overrides,
  })
}
