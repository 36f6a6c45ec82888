/** How the published entrypoint of a runtime is reached from outside of the cluster. */
import { RESOURCE_NAME } from '@kre/contracts'
import { z } from 'zod'

const Name = z.string().max(63).regex(RESOURCE_NAME)
const Pairs = z.record(z.string().min(1).max(317), z.string())

/** Stands for the runtime's id. */
const RUNTIME = '{runtime}'
/** The longest id that a runtime can have: a host with it must still be legal. */
const LONGEST_ID = 'r'.repeat(15)

/** A pattern whose first label holds `{runtime}`: `{runtime}.kre.example.com`. */
const HostPattern = z
  .string()
  .max(253 - LONGEST_ID.length)
  .refine(
    (pattern) =>
      pattern.split(RUNTIME).length === 2 &&
      pattern.split('.')[0]?.includes(RUNTIME) === true &&
      pattern.replace(RUNTIME, LONGEST_ID).split('.').every(isHostLabel),
    `name a host with ${RUNTIME} in its first part, for example ${RUNTIME}.kre.example.com`,
  )

export const PublishSettings = z.discriminatedUnion('mode', [
  /** By its Service alone, which always exists. */
  z.strictObject({
    mode: z.literal('service'),
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).default('ClusterIP'),
    annotations: Pairs.default({}),
  }),
  z.strictObject({
    mode: z.literal('ingress'),
    host: HostPattern,
    className: z.string().min(1).nullable().default(null),
    /** For most controllers one of them says that the backend speaks gRPC. */
    annotations: Pairs.default({}),
    /** Secret of a certificate, which may hold `{runtime}`; null = without TLS. */
    tlsSecret: z
      .string()
      .refine(
        (name) => RESOURCE_NAME.test(name.replace(RUNTIME, LONGEST_ID)),
        'is no name of a Secret',
      )
      .nullable()
      .default(null),
  }),
  /** A route of the Gateway API. GRPCRoute has no doors for JSON; HTTPRoute has all of them. */
  z.strictObject({
    mode: z.literal('gateway'),
    kind: z.enum(['GRPCRoute', 'HTTPRoute']).default('HTTPRoute'),
    host: HostPattern,
    parents: z
      .array(
        z.strictObject({
          name: Name,
          namespace: Name.optional(),
          sectionName: z.string().max(253).optional(),
        }),
      )
      .min(1),
    annotations: Pairs.default({}),
  }),
])
export type PublishSettings = z.infer<typeof PublishSettings>
export type PublishMode = PublishSettings['mode']

/** @param pattern of a host or a Secret. */
export function ofRuntime(pattern: string, runtimeId: string): string {
  return pattern.replace(RUNTIME, runtimeId)
}

function isHostLabel(label: string): boolean {
  return /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(label)
}
