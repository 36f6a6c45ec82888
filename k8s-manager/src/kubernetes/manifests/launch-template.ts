/** What a pod is told but for what only the pod knows: its number, its credentials, its folders; and without values. */
import type { EntrypointLaunch, NodeLaunch, NodeMember, Workload } from '@kre/contracts'
import { POD_LAYOUT, PORTS } from '../pod-layout.ts'
import type { KubernetesSettings } from '../settings.ts'

export type LaunchTemplate = {
  /** Asked for by the image's first program: who reads another one is of another version of KRE. */
  readonly layout: typeof POD_LAYOUT
} & (
  | Omit<NodeLaunch, 'nats' | 'replica' | 'basePath' | 'descriptorSetPath' | 'workPath' | 'python'>
  | Omit<EntrypointLaunch, 'nats' | 'replica'>
)

/** Values of the configuration are no part of it: it is an annotation of the pod, which many people may see. */
export function launchTemplate(
  { spec }: Pick<Workload, 'spec'>,
  settings: KubernetesSettings,
): LaunchTemplate {
  const { drainMs, engineAbsenceMs, tracing } = settings
  const place = {
    layout: POD_LAYOUT,
    drainMs,
    engineAbsenceMs,
    ...(tracing === null ? {} : { tracing }),
  } as const
  if (spec.kind === 'entrypoint')
    // Without a host, because a pod has addresses of IPv4, of IPv6, or of both.
    return { ...spec, ...place, listen: { host: '', port: PORTS.grpc } }
  const { fused } = spec
  return {
    ...withoutValues(spec),
    ...(fused === undefined ? {} : { fused: fused.map(withoutValues) }),
    ...place,
  }
}

/** The same node with the names of its configuration, and no value. */
export function withoutValues<T extends NodeMember>(member: T): T {
  const { variables, files } = member.config
  return { ...member, config: { variables: namesOf(variables), files: namesOf(files) } }
}

function namesOf(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(values).map((name) => [name, '']))
}
