import type { Manifest } from './helm.ts'

type Container = {
  name: string
  image: string
  env?: { name: string; value?: string }[]
  resources?: object
  securityContext?: object
  startupProbe?: object
  readinessProbe?: object
  livenessProbe?: object
}
export type PodSpec = Record<string, unknown> & {
  restartPolicy?: string
  initContainers?: Container[]
  containers: Container[]
}
/** A pod that an object is, or makes. */
export type PodTemplate = {
  name: string
  labels: Record<string, string>
  spec: PodSpec
}

export function podsOf(objects: readonly Manifest[]): PodTemplate[] {
  return objects.flatMap(({ kind, metadata, spec }) => {
    if (kind === 'Pod')
      return [{ name: metadata.name, labels: metadata.labels ?? {}, spec: spec as PodSpec }]
    if (kind !== 'StatefulSet') return []
    const { template } = spec as {
      template: { metadata: { labels: Record<string, string> }; spec: PodSpec }
    }
    return [{ name: metadata.name, labels: template.metadata.labels, spec: template.spec }]
  })
}
