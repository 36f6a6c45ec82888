/** A workload on its Deployment, for the engine that comes after this one: all of it but values of the configuration. */
import { EntrypointSpec, NodeSpec, type Workload, type WorkloadObservation } from '@kre/contracts'
import { z } from 'zod'
import { withoutValues } from './launch-template.ts'

const WorkloadRecord = z.object({
  id: z.string().min(1),
  runtimeId: z.string().min(1),
  version: z.string().nullable(),
  replicas: z.int().min(0),
  spec: z.discriminatedUnion('kind', [NodeSpec, EntrypointSpec]),
  specHash: z.string(),
  bundleDigest: z.string().nullable(),
  memoryBytesMax: z.number().nullable(),
  resources: z
    .object({
      cpuMillis: z.object({ request: z.number(), limit: z.number() }).nullable(),
      gpu: z.object({ count: z.number(), class: z.string().nullable() }).nullable(),
    })
    .optional(),
})

export function writeWorkloadRecord(workload: Workload): string {
  const { id, runtimeId, version, replicas, spec, specHash, bundleDigest, memoryBytesMax } =
    workload
  return JSON.stringify({
    id,
    runtimeId,
    version,
    replicas,
    spec: spec.kind === 'node' ? shown(spec) : spec,
    specHash,
    bundleDigest,
    memoryBytesMax,
    ...(workload.resources === undefined ? {} : { resources: workload.resources }),
  })
}

/** @returns null for what is no record: somebody has edited it. */
export function readWorkloadRecord(text: string | undefined): Workload | null {
  if (text === undefined) return null
  try {
    const parsed = WorkloadRecord.safeParse(JSON.parse(text))
    if (!parsed.success) return null
    const { resources, ...workload } = parsed.data
    return { ...workload, ...(resources === undefined ? {} : { resources }) }
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** Whose replicas they are, for people and for the converger. */
export function placeOf({
  id,
  runtimeId,
  version,
  spec,
}: Workload): Pick<
  WorkloadObservation,
  'id' | 'runtimeId' | 'version' | 'role' | 'workflow' | 'node' | 'fused'
> {
  if (spec.kind === 'entrypoint')
    return { id, runtimeId, version, role: 'entrypoint', workflow: null, node: null }
  const { workflow, node, fused } = spec
  return {
    id,
    runtimeId,
    version,
    role: 'node',
    workflow,
    node,
    ...(fused === undefined ? {} : { fused: fused.map((member) => member.node) }),
  }
}

function shown(spec: NodeSpec): NodeSpec {
  const { fused } = spec
  return {
    ...withoutValues(spec),
    ...(fused === undefined ? {} : { fused: fused.map(withoutValues) }),
  }
}
